// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title ReentrantReceiver
/// @notice FOR TESTS: calls somebody when it gets ether, and keeps the answer for the tester.
contract ReentrantReceiver {
    address private _target;
    bytes private _data;

    bool public succeeded;
    bytes4 public answer;

    /// @notice Chooses the call that the next ether makes.
    function setCall(address target, bytes calldata data) external {
        (_target, _data) = (target, data);
    }

    receive() external payable {
        bytes memory returned;
        (succeeded, returned) = _target.call(_data);
        answer = bytes4(returned);
    }
}
