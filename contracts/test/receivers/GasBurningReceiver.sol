// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title GasBurningReceiver
/// @notice FOR TESTS: burns all the gas that ether comes with.
contract GasBurningReceiver {
    receive() external payable {
        assembly ("memory-safe") {
            invalid()
        }
    }
}
