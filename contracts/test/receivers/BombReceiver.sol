// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title BombReceiver
/// @notice FOR TESTS: refuses ether with so much data that copying it would cost the caller dearly.
contract BombReceiver {
    uint256 private constant SIZE = 100_000;

    receive() external payable {
        assembly ("memory-safe") {
            revert(mload(0x40), SIZE)
        }
    }
}
