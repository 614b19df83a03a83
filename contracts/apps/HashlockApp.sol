// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Thread} from "../interfaces/IChannelManager.sol";
import {IThreadApp} from "../interfaces/IThreadApp.sol";

/// @title HashlockApp
/// @notice Pays everything to the receiver for the 32-byte preimage of a SHA-256 hash: a hashed time-lock, whose time
/// is the thread's window. SHA-256 so that the same secret also unlocks Lightning and Bitcoin contracts.
/// @dev `appState` is the hash (32 bytes), `resolver` the preimage (32 bytes).
contract HashlockApp is IThreadApp {
    error NotThirtyTwoBytes(uint256 appStateLength, uint256 resolverLength);
    error WrongPreimage(bytes32 expectedHash, bytes32 givenHash);

    /// @inheritdoc IThreadApp
    function resolve(
        Thread calldata thread,
        bytes calldata appState,
        bytes calldata resolver
    ) external pure returns (uint128 balanceReceiver) {
        // A fixed length, so that a secret valid here is never too long to be shown on another chain.
        if (appState.length != 32 || resolver.length != 32) revert NotThirtyTwoBytes(appState.length, resolver.length);
        if (sha256(resolver) != bytes32(appState)) revert WrongPreimage(bytes32(appState), sha256(resolver));
        return thread.balanceSender + thread.balanceReceiver;
    }
}
