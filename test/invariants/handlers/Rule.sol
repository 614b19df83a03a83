// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// The fifteen invariants of the contract's specification, by their numbers there.
enum Rule {
    None,
    HoldingsAreAccountedFor,
    HonestOthersKeepTheirDue,
    AcceptedStatesSettle,
    SettlementPaysExactly,
    NewestStateWins,
    CountersNeverFall,
    WithdrawalsPayTheMaximumOnce,
    BadPayeesHurtThemselves,
    GasDecidesNothing,
    ReserveMovesByName,
    OneOutcomePerThread,
    ReceiversBalanceNeverFalls,
    NoThreadIsFinalEarly,
    HubIsNeutral,
    NothingDelaysAnythingElse
}
