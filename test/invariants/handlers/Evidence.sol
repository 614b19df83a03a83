// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {
    SignedThread,
    SignedThreadUpdate,
    Thread,
    ThreadRecord
} from "../../../contracts/interfaces/IChannelManager.sol";
import {StateHash} from "../../../contracts/libraries/StateHash.sol";
import {Dice} from "./Dice.sol";
import {ExitHandler} from "./ExitHandler.sol";

/// @title Evidence
/// @notice What colluders could show about their threads: terms, updates and app answers, good and bad.
abstract contract Evidence is ExitHandler {
    enum Kind {
        Terms,
        Payment,
        Update,
        Resolution
    }

    function _giveApp(Thread memory thread, Dice memory dice) internal view {
        uint256 kind = dice.below(3);
        if (kind == 0) {
            thread.app = address(hashlock);
            thread.appStateHash = keccak256(abi.encode(sha256(abi.encode(thread.salt)))); // the salt is the secret
        } else if (kind == 1) {
            thread.app = address(signedApp);
            thread.appStateHash = keccak256(abi.encode(stranger)); // the arbiter
        } else {
            thread.app = dice.oneIn(4) ? stranger : address(hostileApp);
            thread.appStateHash = keccak256("");
        }
    }

    function _appAnswer(uint256 index, Dice memory dice) internal view returns (bytes memory, bytes memory) {
        Thread memory thread = seen[index].thread;
        bool wrong = dice.oneIn(16);
        if (thread.app == address(hashlock)) {
            bytes32 secret = wrong ? bytes32(dice.next()) : thread.salt;
            return (abi.encode(sha256(abi.encode(thread.salt))), abi.encode(secret));
        }
        if (thread.app == address(signedApp)) {
            uint128 amount = dice.upTo(uint256(_sum(thread)) + (wrong ? 1 : 0));
            bytes32 digest = signedApp.hashResolution(address(manager), seen[index].hash, amount);
            return (abi.encode(stranger), abi.encode(amount, _sign(dice.oneIn(16) ? hub : stranger, digest)));
        }
        // a hostile app does what its resolver says: mostly it answers, and mostly within the sum
        uint256 trick = dice.oneIn(4) ? dice.below(5) : 0;
        uint256 word = dice.upTo(uint256(_sum(thread)) + (wrong ? 1 : 0));
        bytes memory resolver = abi.encode(trick, word, dice.oneIn(12) ? dice.below(100) : 32);
        return (dice.oneIn(16) ? bytes("wrong") : bytes(""), resolver);
    }

    /// @dev Mostly a thread about which such evidence can still say something; often one that an ended session has put
    /// money aside for; seldom one of Alice's, because nobody pays her in a thread that is in dispute.
    function _someTerms(Dice memory dice, Kind kind) internal view returns (uint256 index, SignedThread memory) {
        index = _someThread(dice);
        for (uint256 tries = 0; tries < 6 && !_isWorthIt(index, kind, dice); ++tries) index = _someThread(dice);
        return (index, _signThread(index));
    }

    function _someThread(Dice memory dice) private view returns (uint256) {
        if (roots.length == 0 || dice.oneIn(2)) return dice.below(seen.length);
        uint256[] storage left = roots[dice.below(roots.length)].threads;
        return left[dice.below(left.length)];
    }

    function _isWorthIt(uint256 index, Kind kind, Dice memory dice) private view returns (bool) {
        Seen storage last = seen[index];
        if (last.isFinal || (last.thread.receiver == alice && !dice.oneIn(4))) return false;
        if (kind == Kind.Payment) return !last.thread.updatable && last.thread.app == address(0);
        if (kind == Kind.Update) return last.thread.updatable;
        if (kind == Kind.Resolution) return last.thread.app != address(0);
        return last.openedAt == 0;
    }

    function _someUpdate(
        uint256 index,
        Dice memory dice
    ) internal view returns (SignedThreadUpdate memory update, bool good) {
        Thread memory thread = seen[index].thread;
        uint64 nonce = seen[index].record.nonce;
        update.nonce = dice.oneIn(12) ? type(uint64).max : (nonce < 1 << 32 ? nonce : 0) + uint64(dice.below(4));
        bool tooMuch = dice.oneIn(16);
        update.balanceReceiver = tooMuch ? _sum(thread) + 1 : dice.upTo(_sum(thread));
        update.appStateHash = dice.oneIn(8) ? bytes32(0) : thread.appStateHash;
        bytes32 updateHash = keccak256(
            abi.encode(
                StateHash.THREAD_UPDATE_TYPEHASH,
                seen[index].hash,
                update.nonce,
                update.balanceReceiver,
                update.appStateHash
            )
        );
        bool forged = dice.oneIn(16);
        update.sigSender = _signStruct(thread.sender, updateHash);
        update.sigReceiver = _signStruct(forged ? stranger : thread.receiver, updateHash);
        good = !tooMuch && !forged && update.nonce != 0;
    }

    function _standingBalance(uint256 index) internal view returns (uint128) {
        ThreadRecord memory record = seen[index].record;
        return record.deadline == 0 ? seen[index].thread.balanceReceiver : record.balanceReceiver;
    }

    /// @dev Whether evidence of this kind can still be shown: well-formed terms, and a record that is not final.
    function _isOpenFor(uint256 index, bool updates) internal view returns (bool) {
        Thread memory thread = seen[index].thread;
        if (thread.updatable != updates || thread.sender == thread.receiver || _sum(thread) == 0) return false;
        ThreadRecord memory record = seen[index].record;
        bool isTooLate = record.deadline != 0 && block.timestamp >= record.deadline - _window(thread) + PERIOD;
        return !isTooLate && !_isFinal(thread, record);
    }
}
