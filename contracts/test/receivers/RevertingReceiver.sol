// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title RevertingReceiver
/// @notice FOR TESTS: refuses ether.
contract RevertingReceiver {
    error NoThanks();

    receive() external payable {
        revert NoThanks();
    }
}
