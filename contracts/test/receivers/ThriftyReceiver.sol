// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title ThriftyReceiver
/// @notice FOR TESTS: refuses at once, cheaply, ether that brings less gas than it wants.
contract ThriftyReceiver {
    uint256 public immutable wantedGas;

    error TooLittleGas(uint256 wanted, uint256 left);

    constructor(uint256 wantedGas_) {
        wantedGas = wantedGas_;
    }

    receive() external payable {
        if (gasleft() < wantedGas) revert TooLittleGas(wantedGas, gasleft());
    }
}
