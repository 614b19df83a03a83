// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {HostileToken} from "./HostileToken.sol";

/// @title ReentrantToken
/// @notice FOR TESTS: when hostile, calls somebody before it moves the money, and keeps the answer for the tester.
contract ReentrantToken is HostileToken {
    address private _target;
    bytes private _data;

    bool public called;
    bool public succeeded;
    bytes4 public answer;

    /// @notice Chooses the call that the next transfer makes.
    function setCall(address target, bytes calldata data) external {
        (_target, _data, called, succeeded, answer) = (target, data, false, false, 0);
    }

    /// @notice Transfers without asking for any signature, and calls back like every transfer.
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 amount,
        uint256,
        uint256,
        bytes32,
        uint8,
        bytes32,
        bytes32
    ) external {
        _transfer(from, to, amount);
    }

    function _update(address from, address to, uint256 amount) internal override {
        if (hostile) {
            bytes memory returned;
            (succeeded, returned) = _target.call(_data);
            (called, answer) = (true, bytes4(returned));
        }
        super._update(from, to, amount);
    }
}
