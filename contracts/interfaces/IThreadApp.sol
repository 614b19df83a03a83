// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Thread} from "./IChannelManager.sol";

/// @title IThreadApp
/// @notice The rules of a conditional payment or an application that runs on a thread.
/// @dev What the ChannelManager assumes of an app, safety first:
/// - Safety: nothing. An app that reverts, burns its gas, or answers with more than the thread holds hurts only the
///   threads whose sender and receiver both signed its address.
/// - Liveness: `resolve` is called statically with a fixed gas allowance (`APP_GAS`); it must answer within it.
/// - One answer: of an updatable thread the first resolution of a nonce stands, of another the highest. An app that could
///   give several answers to one state is a race between the parties.
/// - Clock: an app must not read the time. The thread's own window is the clock: without a resolution in that window
///   the standing balances are paid.
interface IThreadApp {
    /// @notice Turns the standing app state and a resolver into the receiver's balance.
    /// @param thread The terms both parties signed.
    /// @param appState The state whose hash stands in the thread's record.
    /// @param resolver What decides it: a preimage, a signature, a finished game.
    /// @return balanceReceiver What the receiver gets, at most the sum of the thread.
    function resolve(
        Thread calldata thread,
        bytes calldata appState,
        bytes calldata resolver
    ) external view returns (uint128 balanceReceiver);
}
