// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SignedThread, Thread, ThreadRecord} from "../../../contracts/interfaces/IChannelManager.sol";
import {Leaves} from "./Leaves.sol";
import {Payments} from "./Payments.sol";
import {Rule} from "./Rule.sol";

/// @title Threads
/// @notice All terms that were ever signed, and what was seen of their records after each call.
abstract contract Threads is Payments {
    struct Seen {
        Thread thread;
        bytes32 hash;
        uint256 openedAt;
        ThreadRecord record;
        /// The first final balance that was seen; it must be the last.
        bool isFinal;
        uint128 outcome;
        /// What the legs paid to users and to the reserve.
        uint256 legs;
        uint256 toUsers;
        uint256 toHub;
    }

    /// What a settled session left for its threads.
    struct Root {
        address user;
        uint64 session;
        uint256[] threads;
    }

    Seen[] internal seen;
    Root[] internal roots;
    mapping(bytes32 threadHash => uint256 indexPlusOne) private _indexOf;

    /// @dev Same terms, same thread.
    function _addThread(Thread memory thread) internal returns (uint256 index) {
        bytes32 hash = manager.hashThread(thread);
        if (_indexOf[hash] != 0) return _indexOf[hash] - 1;
        Seen storage added = seen.push();
        (added.thread, added.hash) = (thread, hash);
        _indexOf[hash] = seen.length;
        return seen.length - 1;
    }

    function _signThread(uint256 index) internal view returns (SignedThread memory signed) {
        signed.thread = seen[index].thread;
        signed.sigSender = _signStruct(signed.thread.sender, seen[index].hash);
        signed.sigReceiver = _signStruct(signed.thread.receiver, seen[index].hash);
    }

    function _leaf(uint256 index) internal view returns (bytes32) {
        return keccak256(abi.encode(seen[index].hash));
    }

    function _leaves(uint256[] memory indices) internal view returns (bytes32[] memory leaves) {
        leaves = new bytes32[](indices.length);
        for (uint256 i = 0; i < indices.length; ++i) leaves[i] = _leaf(indices[i]);
    }

    function _proof(uint256[] memory indices, uint256 index) internal view returns (bytes32[] memory) {
        return Leaves.proof(_leaves(indices), _leaf(index));
    }

    /// @dev Also what a resolution could change.
    function _digest() internal view override returns (bytes32 digest) {
        digest = super._digest();
        for (uint256 i = 0; i < seen.length; ++i) {
            digest = keccak256(abi.encode(digest, manager.recordOf(seen[i].hash)));
        }
    }

    // --------------------------------------------------------------------------------------------------- observation

    /// @dev Runs after each call. `mayChange` says whether the call was about threads.
    function _observeThreads(bool mayChange) internal {
        for (uint256 i = 0; i < seen.length; ++i) {
            ThreadRecord memory record = manager.recordOf(seen[i].hash);
            if (record.deadline != 0) _observe(seen[i], record, mayChange);
        }
    }

    function _observe(Seen storage last, ThreadRecord memory record, bool mayChange) private {
        Thread memory thread = last.thread;
        if (last.record.deadline == 0) last.openedAt = block.timestamp;
        bool same = keccak256(abi.encode(record)) == keccak256(abi.encode(last.record));
        _hold(mayChange || same, Rule.NothingDelaysAnythingElse, "a thread's record changed");

        uint256 opening = last.openedAt > thread.expiry ? last.openedAt : thread.expiry;
        _hold(record.deadline == opening + _window(thread), Rule.NoThreadIsFinalEarly, "another deadline");
        uint128 floor = last.record.deadline == 0 ? thread.balanceReceiver : last.record.balanceReceiver;
        if (!thread.updatable) {
            _hold(record.balanceReceiver >= floor, Rule.ReceiversBalanceNeverFalls, "the balance fell");
        }
        _hold(record.nonce >= last.record.nonce, Rule.NoThreadIsFinalEarly, "the nonce fell");
        _hold(record.balanceReceiver <= _sum(thread), Rule.HubIsNeutral, "more than the sum");
        if (last.isFinal) {
            _hold(record.balanceReceiver == last.outcome, Rule.OneOutcomePerThread, "a second outcome");
        } else if (_isFinal(thread, record)) {
            (last.isFinal, last.outcome) = (true, record.balanceReceiver);
        }
        last.record = record;
    }
}
