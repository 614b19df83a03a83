// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {SignedThread, SignedThreadUpdate, Thread} from "../../../contracts/interfaces/IChannelManager.sol";
import {Dice} from "./Dice.sol";
import {Evidence} from "./Evidence.sol";
import {Rule} from "./Rule.sol";

/// @title EvidenceHandler
/// @notice Threads of every kind between any two colluders, and all evidence about them, good and bad.
abstract contract EvidenceHandler is Evidence {
    /// @dev For calls that must move no channel.
    modifier adjudicating() {
        bytes32 before = _channels();
        _;
        _hold(_channels() == before, Rule.NothingDelaysAnythingElse, "a thread changed a channel");
        _observeThreads(true);
    }

    function signThread(uint256 seed) public adjudicating {
        Dice memory dice = Dice(seed);
        Thread memory thread;
        // few salts: the same salt under other terms is an attack
        thread.salt = bytes32(dice.below(8));
        thread.sender = dice.pick(colluders);
        thread.receiver = dice.pick(colluders); // who may be the sender, which is refused
        thread.asset = dice.pick(assets);
        thread.balanceSender = dice.upTo(1_000);
        thread.balanceReceiver = dice.oneIn(2) ? 0 : dice.upTo(1_000);
        thread.updatable = dice.oneIn(2);
        thread.expiry = dice.oneIn(2) ? 0 : uint64(block.timestamp + dice.below(2 * PERIOD));
        if (dice.oneIn(2)) _giveApp(thread, dice);
        _addThread(thread);
    }

    function challengeThread(uint256 seed) external adjudicating {
        Dice memory dice = Dice(seed);
        (uint256 index, SignedThread memory signed_) = _someTerms(dice, Kind.Terms);
        bool forged = dice.oneIn(16);
        if (forged) signed_.sigReceiver = _signStruct(stranger, seen[index].hash);
        _act(stranger, 0, abi.encodeCall(manager.challengeThread, (signed_)));
        _hold(!forged, Rule.OneOutcomePerThread, "terms that one party did not sign");
    }

    function challengeThreadWithPayment(uint256 seed) external adjudicating {
        Dice memory dice = Dice(seed);
        (uint256 index, SignedThread memory signed_) = _someTerms(dice, Kind.Payment);
        Thread memory thread = signed_.thread;
        uint128 standing_ = _standingBalance(index);
        uint128 amount = dice.oneIn(2) ? dice.upTo(_sum(thread)) : standing_ + dice.upTo(_sum(thread) - standing_);
        if (dice.oneIn(16)) amount = _sum(thread) + 1;
        bool forged = dice.oneIn(16);
        bytes memory sig = _signPayment(forged ? stranger : thread.sender, seen[index].hash, amount);
        bool valid = !forged && amount > standing_ && amount <= _sum(thread) && _isOpenFor(index, false);
        _show(
            abi.encodeCall(manager.challengeThreadWithPayment, (signed_, amount, sig)),
            valid && thread.app == address(0)
        );
    }

    function challengeThreadWithUpdate(uint256 seed) external adjudicating {
        Dice memory dice = Dice(seed);
        (uint256 index, SignedThread memory signed_) = _someTerms(dice, Kind.Update);
        (SignedThreadUpdate memory update, bool good) = _someUpdate(index, dice);
        bool valid = good && update.nonce > seen[index].record.nonce && _isOpenFor(index, true);
        _show(abi.encodeCall(manager.challengeThreadWithUpdate, (signed_, update)), valid);
    }

    function resolveThread(uint256 seed) external adjudicating {
        Dice memory dice = Dice(seed);
        (uint256 index, SignedThread memory signed_) = _someTerms(dice, Kind.Resolution);
        (bytes memory appState, bytes memory resolver) = _appAnswer(index, dice);
        bytes memory data = abi.encodeCall(manager.resolveThread, (signed_, appState, resolver));
        _relay(data, dice);
        _reach("an app resolved terms");
    }

    function resolveThreadWithUpdate(uint256 seed) external adjudicating {
        Dice memory dice = Dice(seed);
        (uint256 index, SignedThread memory signed_) = _someTerms(dice, Kind.Resolution);
        (SignedThreadUpdate memory update, ) = _someUpdate(index, dice);
        (bytes memory appState, bytes memory resolver) = _appAnswer(index, dice);
        bytes memory data = abi.encodeCall(manager.resolveThreadWithUpdate, (signed_, update, appState, resolver));
        _relay(data, dice);
        _reach("an app resolved an update");
    }

    /// @dev Whoever has valid and better evidence in time must be heard, and nobody else.
    function _show(bytes memory data, bool valid) private {
        (bool success, bytes memory answer) = _try(stranger, 0, data);
        _hold(success || !valid, Rule.NoThreadIsFinalEarly, "better evidence was refused in time");
        _hold(!success || valid, Rule.OneOutcomePerThread, "evidence that says nothing better was accepted");
        if (!success && !valid) _revertWith(answer);
        if (valid) _reach("better evidence was accepted");
    }
}
