// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Thread} from "../../interfaces/IChannelManager.sol";
import {IThreadApp} from "../../interfaces/IThreadApp.sol";

/// @title HighestCardApp
/// @notice A game for two: both commit to a card, both reveal, the higher card takes the stake of the round.
/// @dev An app that is nothing like those in contracts/apps: its thread is updatable, every round is an update with a
/// new app state, and the money goes both ways.
contract HighestCardApp is IThreadApp {
    /// @dev What both sign as app state: `balanceReceiver` is the score before the round.
    struct Round {
        bytes32 commitmentSender;
        bytes32 commitmentReceiver;
        uint128 balanceReceiver;
        uint128 stake;
    }

    /// @dev A card and the salt that hid it.
    struct Card {
        uint8 value;
        bytes32 salt;
    }

    error NotTheCommittedCard(Card card);

    /// @inheritdoc IThreadApp
    function resolve(
        Thread calldata,
        bytes calldata appState,
        bytes calldata resolver
    ) external pure returns (uint128 balanceReceiver) {
        Round memory round = abi.decode(appState, (Round));
        (Card memory sender, Card memory receiver) = abi.decode(resolver, (Card, Card));
        _requireCommitted(sender, round.commitmentSender);
        _requireCommitted(receiver, round.commitmentReceiver);
        if (receiver.value > sender.value) return round.balanceReceiver + round.stake;
        if (receiver.value < sender.value) return round.balanceReceiver - round.stake;
        return round.balanceReceiver;
    }

    function _requireCommitted(Card memory card, bytes32 commitment) private pure {
        if (keccak256(abi.encode(card)) != commitment) revert NotTheCommittedCard(card);
    }
}
