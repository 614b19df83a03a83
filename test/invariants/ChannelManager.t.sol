// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {InvariantTest} from "./InvariantTest.sol";
import {Handler} from "./handlers/Handler.sol";
import {Rule} from "./handlers/Rule.sol";

/// @title ChannelManagerInvariants
/// @notice The fifteen invariants of the ChannelManager, in the order of its specification. All signers collude, except
/// for Alice (see `BystanderHandler`). Each first asks what single calls showed, then looks at the whole.
contract ChannelManagerInvariants is InvariantTest {
    Handler private _handler;

    error Broken(Rule rule, string what);

    function setUp() external {
        _handler = new Handler();
        _handler.warmUp();
        _target(address(_handler));
        bytes4[] memory probes = new bytes4[](4); // they only try what would happen
        probes[0] = _handler.probeBystander.selector;
        probes[1] = _handler.probeExits.selector;
        probes[2] = _handler.probeLegs.selector;
        probes[3] = _handler.warmUp.selector;
        _exclude(address(_handler), probes);
    }

    /// @dev 1
    function invariant_holdingsEqualReserveClaimablesLedgersLockedAndDonations() external view {
        for (uint256 i = 0; i < 3; ++i) {
            (uint256 held, uint256 accounted) = _handler.holdings(i);
            _require(held == accounted || !_handler.isTruthful(i), Rule.HoldingsAreAccountedFor, "holdings");
        }
    }

    /// @dev 2
    function invariant_nothingThatOthersDoChangesWhatAnHonestUserCanWithdraw() external {
        _requireUnbroken(Rule.HonestOthersKeepTheirDue);
        (bool aliceGetsHerDue, ) = _handler.probeBystander();
        _require(aliceGetsHerDue, Rule.HonestOthersKeepTheirDue, "Alice leaves with something else");
    }

    /// @dev 3
    function invariant_everyAcceptedStateSettlesAtItsDeadline() external {
        _require(_handler.probeExits(), Rule.AcceptedStatesSettle, "an accepted state does not settle");
    }

    /// @dev 4
    function invariant_settlementAndReclaimPayDepositsMinusWithdrawalsOnce() external view {
        _requireUnbroken(Rule.SettlementPaysExactly);
        _require(_handler.sessionsPayExactly(), Rule.SettlementPaysExactly, "deposits and payments differ");
    }

    /// @dev 5
    function invariant_whoeverPostsTheNewestStateInTimeIsPaidByIt() external {
        _requireUnbroken(Rule.NewestStateWins);
        (, bool hubGetsItsDue) = _handler.probeBystander();
        _require(hubGetsItsDue, Rule.NewestStateWins, "the hub leaves with something else");
    }

    /// @dev 6
    function invariant_countersAndSessionsNeverFall() external view {
        _requireUnbroken(Rule.CountersNeverFall);
        _require(_handler.countersMatch(), Rule.CountersNeverFall, "a counter differs");
    }

    /// @dev 7
    function invariant_withdrawalsInAnyOrderPayTheMaximumOfEachCounter() external view {
        _require(_handler.withdrawalsPayTheMaximum(), Rule.WithdrawalsPayTheMaximumOnce, "paid something else");
    }

    /// @dev 8
    function invariant_badPayeesAndTokensChangeOnlyTheirOwnClaimable() external view {
        _requireUnbroken(Rule.BadPayeesHurtThemselves);
        _require(_handler.reentries() == 0, Rule.BadPayeesHurtThemselves, "a callback moved money");
    }

    /// @dev 9
    function invariant_aRelayWithAnyGasRevertsOrPaysAsWithAllTheGas() external view {
        _requireUnbroken(Rule.GasDecidesNothing);
    }

    /// @dev 10
    function invariant_theReserveMovesByNamedFunctionsAndNeverAboveItsFunding() external view {
        _requireUnbroken(Rule.ReserveMovesByName);
        _require(_handler.reservesMatch(), Rule.ReserveMovesByName, "the reserve differs");
    }

    /// @dev 11
    function invariant_bothLegsOfAThreadAreEachPaidOnceByOneOutcome() external view {
        _requireUnbroken(Rule.OneOutcomePerThread);
        (bool oneOutcome, ) = _handler.legsAddUp();
        _require(oneOutcome, Rule.OneOutcomePerThread, "legs differ from the outcome");
    }

    /// @dev 12
    function invariant_theReceiversBalanceOfAPaymentNeverFalls() external view {
        _requireUnbroken(Rule.ReceiversBalanceNeverFalls);
    }

    /// @dev 13
    function invariant_noThreadIsFinalBeforeItsWindowUnlessNothingCanExceedIt() external view {
        _requireUnbroken(Rule.NoThreadIsFinalEarly);
    }

    /// @dev 14
    function invariant_overBothLegsTheHubGetsBackWhatItLocked() external view {
        _requireUnbroken(Rule.HubIsNeutral);
        (, bool hubIsNeutral) = _handler.legsAddUp();
        _require(hubIsNeutral, Rule.HubIsNeutral, "the hub won or lost");
    }

    /// @dev 15
    function invariant_noExitIsDelayedByAThreadNorAThreadByAnExit() external {
        _requireUnbroken(Rule.NothingDelaysAnythingElse);
        _require(_handler.probeLegs(), Rule.NothingDelaysAnythingElse, "a leg that is due is not paid");
    }

    function _requireUnbroken(Rule rule) private view {
        string memory what = _handler.broken(rule);
        _require(bytes(what).length == 0, rule, what);
    }

    function _require(bool holds, Rule rule, string memory what) private pure {
        if (!holds) revert Broken(rule, what);
    }
}
