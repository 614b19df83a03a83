// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {HostileToken} from "./HostileToken.sol";

/// @title ThriftyToken
/// @notice FOR TESTS: when hostile, refuses at once, cheaply, a transfer that brings less gas than it wants.
contract ThriftyToken is HostileToken {
    uint256 public immutable wantedGas;

    error TooLittleGas(uint256 wanted, uint256 left);

    constructor(uint256 wantedGas_) {
        wantedGas = wantedGas_;
    }

    function _update(address from, address to, uint256 amount) internal override {
        if (hostile && gasleft() < wantedGas) revert TooLittleGas(wantedGas, gasleft());
        super._update(from, to, amount);
    }
}
