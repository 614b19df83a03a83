// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ledger} from "../../../contracts/interfaces/IChannelManager.sol";
import {Books} from "./Books.sol";
import {Dice} from "./Dice.sol";
import {Rule} from "./Rule.sol";

/// @title Payments
/// @notice Every deposit and every payout passes here: the books follow, and what the chain did is held against them.
abstract contract Payments is Books {
    function _credited(address user, address asset, uint128 amount, bool forHub) internal {
        uint64 session = _session(user);
        Ledger storage ledger = ledgers[user][session][asset];
        unchecked {
            if (forHub) ledger.depositedHub += amount;
            else ledger.depositedUser += amount;
            inflow[user][session][asset] += amount;
        }
    }

    function _moves(address user, uint64 session) internal pure returns (Moves memory moves) {
        (moves.user, moves.session, moves.payee) = (user, session, user);
    }

    /// @dev Makes a call that pays, and checks each asset's movement, those of assets that it must not touch as well.
    /// Returns what really reached the user, or became claimable, per asset.
    function _pay(
        bytes memory data,
        Moves memory moves,
        Dice memory dice
    ) internal returns (uint256[ASSETS] memory toUser) {
        Holdings memory before = _holdings(moves.user, moves.payee);
        _relay(data, dice);
        Holdings memory then_ = _holdings(moves.user, moves.payee);
        for (uint256 i = 0; i < ASSETS; ++i) {
            toUser[i] = _checkMove(before, then_, moves, i);
        }
    }

    function _checkMove(
        Holdings memory before,
        Holdings memory then_,
        Moves memory moves,
        uint256 i
    ) private returns (uint256 toUser) {
        unchecked {
            uint256 claimable = then_.claimables[i] - before.claimables[i];
            uint256 claimableOfAll = then_.claimablesOfAll[i] - before.claimablesOfAll[i];
            uint256 toHub = then_.reserves[i] - before.reserves[i];
            // what a hostile token moved is not to be known; that it is booked as paid is
            uint256 paid =
                _isTruthful(assets[i]) ? before.managers[i] - then_.managers[i] : moves.toUser[i] - claimable;
            toUser = paid + claimable;

            _hold(toUser == moves.toUser[i] && toHub == moves.toHub[i], Rule.SettlementPaysExactly, "wrong amount");
            _hold(_isAllOrNothing(claimable, moves.toUser[i]), Rule.BadPayeesHurtThemselves, "paid in part");
            _hold(claimableOfAll == claimable, Rule.BadPayeesHurtThemselves, "somebody else's claimable");
            if (_isTruthful(assets[i]) && moves.payee != address(manager)) {
                uint256 received = then_.payees[i] - before.payees[i];
                _hold(received == paid, Rule.SettlementPaysExactly, "paid to somebody else");
            }
            reserves[assets[i]] += moves.toHub[i];
            outflow[moves.user][moves.session][assets[i]] += toUser + toHub;
            if (claimable != 0) _reach("a payout failed and became claimable");
        }
    }

    function _isAllOrNothing(uint256 claimable, uint256 amount) private pure returns (bool) {
        return claimable == 0 || claimable == amount;
    }
}
