// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Thread, ThreadRecord} from "../../../contracts/interfaces/IChannelManager.sol";
import {Dice} from "./Dice.sol";
import {EvidenceHandler} from "./EvidenceHandler.sol";
import {Rule} from "./Rule.sol";

/// @title LegHandler
/// @notice Pays the legs of threads out of ended sessions: any thread, any session, any number of times.
abstract contract LegHandler is EvidenceHandler {
    mapping(bytes32 threadHash => mapping(address user => bool)) internal legPaid;

    function settleThread(uint256 seed) external adjudicating {
        Dice memory dice = Dice(seed);
        Root memory root;
        uint256 index;
        // what is due, if a few looks find it
        for (uint256 tries = 0; tries == 0 || (tries < 8 && !_isPayable(root, index)); ++tries) {
            root = roots[dice.below(roots.length)]; // reverts while no session left any threads
            index = root.threads[dice.below(root.threads.length)];
        }
        if (dice.oneIn(16)) root.user = dice.pick(users);
        if (dice.oneIn(16)) index = dice.below(seen.length);
        _settleThread(root, index, dice);
    }

    function _settleThread(Root memory root, uint256 index, Dice memory dice) private {
        Thread memory thread = seen[index].thread;
        Moves memory moves = _legMoves(root, index);
        uint256[ASSETS] memory paid = _pay(_legCall(root, index), moves, dice);

        _hold(_mayBePaid(index), Rule.NoThreadIsFinalEarly, "a leg was paid early");
        _hold(!legPaid[seen[index].hash][root.user], Rule.OneOutcomePerThread, "a leg was paid twice");
        legPaid[seen[index].hash][root.user] = true;
        _recordLeg(index, paid[_index(thread.asset)], moves.toHub[_index(thread.asset)]);
        unchecked {
            // what the session had put aside left it at its settlement already
            outflow[root.user][root.session][thread.asset] -= _sum(thread);
        }
    }

    function _recordLeg(uint256 index, uint256 toUser, uint256 toHub) private {
        Seen storage last = seen[index];
        _reach("a leg was paid");
        last.legs += 1;
        unchecked {
            last.toUsers += toUser;
            last.toHub += toHub;
        }
        if (last.legs == 2) _reach("both legs were paid");
    }

    /// @dev By the outcome that was seen first, not by what the record says now.
    function _legMoves(Root memory root, uint256 index) internal view returns (Moves memory moves) {
        Thread memory thread = seen[index].thread;
        uint128 toReceiver = seen[index].isFinal ? seen[index].outcome : _standingBalance(index);
        uint128 toSender = _sum(thread) - toReceiver;
        bool isSender = root.user == thread.sender;
        moves = _moves(root.user, root.session);
        moves.toUser[_index(thread.asset)] = isSender ? toSender : toReceiver;
        moves.toHub[_index(thread.asset)] = isSender ? toReceiver : toSender;
    }

    function _legCall(Root memory root, uint256 index) internal view returns (bytes memory) {
        bytes32[] memory proof = _proof(root.threads, index);
        return abi.encodeCall(manager.settleThread, (root.user, root.session, seen[index].thread, proof));
    }

    /// @dev Final by the specification's own words.
    function _mayBePaid(uint256 index) private view returns (bool) {
        Thread memory thread = seen[index].thread;
        ThreadRecord memory record = seen[index].record;
        if (seen[index].openedAt == 0) return false;
        uint256 opening = seen[index].openedAt > thread.expiry ? seen[index].openedAt : thread.expiry;
        if (block.timestamp >= opening + _window(thread)) return true;
        return thread.updatable ? record.nonce == type(uint64).max : record.balanceReceiver == _sum(thread);
    }

    /// @dev Whether this leg is due: final, unpaid, and the session put enough aside.
    function _isPayable(Root memory root, uint256 index) internal view returns (bool) {
        Thread memory thread = seen[index].thread;
        bool party = root.user == thread.sender || root.user == thread.receiver;
        bool covered = manager.lockedOf(root.user, root.session, thread.asset) >= _sum(thread);
        return party && covered && _isFinal(thread, seen[index].record) && !legPaid[seen[index].hash][root.user];
    }
}
