// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IChannelManager, SignedThreadUpdate, Thread, ThreadRecord} from "../interfaces/IChannelManager.sol";

/// @title ThreadRules
/// @notice How evidence changes the record of a thread, and when nothing can any more.
library ThreadRules {
    /// The nonce that no update can exceed.
    uint64 private constant FINAL_NONCE = type(uint64).max;

    /// @notice What the thread locks in each of its two channels.
    function sum(Thread calldata thread) internal pure returns (uint256) {
        return uint256(thread.balanceSender) + thread.balanceReceiver;
    }

    /// @notice Whether updates and resolutions take turns: such a thread gets a window for each.
    function isUpdatableApp(Thread calldata thread) internal pure returns (bool) {
        return thread.updatable && thread.app != address(0);
    }

    /// @notice A receiver cannot get more than the thread holds.
    function requireWithinSum(Thread calldata thread, uint128 balanceReceiver) internal pure {
        if (balanceReceiver > sum(thread)) revert IChannelManager.BalanceAboveSum(sum(thread), balanceReceiver);
    }

    /// @notice Final at the deadline, or as soon as no evidence could change the record. Never without a record.
    function isFinal(ThreadRecord memory record, Thread calldata thread) internal view returns (bool) {
        if (record.deadline == 0) return false;
        if (block.timestamp >= record.deadline) return true;
        return thread.updatable ? record.nonce == FINAL_NONCE : record.balanceReceiver == sum(thread);
    }

    /// @notice Not updatable: the receiver's balance only ever rises.
    function raise(ThreadRecord memory record, Thread calldata thread, uint128 balanceReceiver) internal pure {
        if (balanceReceiver <= record.balanceReceiver) {
            revert IChannelManager.BalanceNotHigher(record.balanceReceiver, balanceReceiver);
        }
        requireWithinSum(thread, balanceReceiver);
        record.balanceReceiver = balanceReceiver;
    }

    /// @notice Updatable: a newer update replaces everything, a resolution of an older one included.
    function supersede(ThreadRecord memory record, SignedThreadUpdate calldata update) internal pure {
        record.nonce = update.nonce;
        record.balanceReceiver = update.balanceReceiver;
        record.resolved = false;
    }
}
