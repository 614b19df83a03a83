// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AssetState, Collateral, Ledger} from "../../../contracts/interfaces/IChannelManager.sol";
import {DepositHandler} from "./DepositHandler.sol";
import {Dice} from "./Dice.sol";
import {Rule} from "./Rule.sol";

/// @title WithdrawalHandler
/// @notice Money out while a channel is open: withdrawals, what failed payouts left, and the hub's reserve.
abstract contract WithdrawalHandler is DepositHandler {
    function withdraw(uint256 seed) external custody {
        Dice memory dice = Dice(seed);
        Draft memory draft = _anyDraft(dice.pick(busyUsers), dice);
        (bytes memory arguments, bool forged) = _present(draft, dice);
        (address user, uint64 session) = (draft.state.user, draft.state.session);
        Moves memory moves = _moves(user, session);
        if (draft.state.recipient != address(0)) moves.payee = draft.state.recipient;
        for (uint256 i = 0; i < draft.state.assets.length; ++i) _expectWithdrawal(moves, draft.state.assets[i]);

        uint256[ASSETS] memory paid = _pay(bytes.concat(manager.withdraw.selector, arguments), moves, dice);
        _hold(!forged && session == _session(user), Rule.HonestOthersKeepTheirDue, "withdrew by a bad state");
        for (uint256 i = 0; i < draft.state.assets.length; ++i) {
            _recordWithdrawal(user, session, draft.state.assets[i], paid);
        }
        if (draft.state.recipient == address(manager)) _reach("withdrew to the manager itself");
        signed[user].push(abi.encode(draft));
    }

    /// @dev What the treasury may take is the reserve, and no more than that, whoever else's money is there.
    function recallReserve(uint256 seed) external custody {
        Dice memory dice = Dice(seed);
        address asset = dice.pick(assets);
        uint256 amount = dice.oneIn(8) ? reserves[asset] + 1 : 1 + dice.upTo(reserves[asset] / 2);
        address caller =
            dice.oneIn(8)
                ? dice.pick(users)
                : dice.oneIn(2)
                    ? hub
                    : treasury;
        uint256 before = _balance(asset, treasury);
        _act(caller, 0, abi.encodeCall(manager.recallReserve, (asset, amount)));

        bool allowed = (caller == hub || caller == treasury) && amount <= reserves[asset];
        _hold(allowed, Rule.ReserveMovesByName, "recalled what it may not");
        unchecked {
            reserves[asset] -= amount;
            bool arrived = !_isTruthful(asset) || _balance(asset, treasury) - before == amount;
            _hold(arrived, Rule.ReserveMovesByName, "recalled to somebody else");
        }
    }

    function collateralize(uint256 seed) external custody {
        Dice memory dice = Dice(seed);
        Collateral[] memory batch = new Collateral[](1 + dice.below(3));
        for (uint256 i = 0; i < batch.length; ++i) {
            address asset = dice.pick(assets);
            uint256 reserve = reserves[asset] > type(uint128).max ? type(uint128).max : reserves[asset];
            uint128 amount = dice.oneIn(12) ? uint128(reserve / 2 + 1) : dice.upTo(reserve / 4);
            batch[i] = Collateral(dice.pick(users), asset, amount);
        }
        address caller = dice.oneIn(12) ? treasury : hub;
        _act(caller, 0, abi.encodeCall(manager.collateralize, (batch)));

        _hold(caller == hub, Rule.ReserveMovesByName, "somebody else gave collateral");
        for (uint256 i = 0; i < batch.length; ++i) {
            Collateral memory line = batch[i];
            _hold(line.amount <= reserves[line.asset], Rule.ReserveMovesByName, "collateral above the reserve");
            unchecked {
                reserves[line.asset] -= line.amount;
            }
            _credited(line.user, line.asset, line.amount, true);
        }
    }

    function claim(uint256 seed) external custody {
        Dice memory dice = Dice(seed);
        (address account, address asset) = _someClaimable(dice);
        address to = dice.oneIn(4) ? dice.pick(recipients) : stranger;
        uint256 amount = manager.claimableOf(account, asset);
        uint256 before = _balance(asset, address(manager));
        _act(account, 0, abi.encodeCall(manager.claim, (asset, to)));

        _hold(manager.claimableOf(account, asset) == 0, Rule.BadPayeesHurtThemselves, "claimed and kept");
        unchecked {
            bool exact = !_isTruthful(asset) || before - _balance(asset, address(manager)) == amount;
            _hold(exact && amount != 0, Rule.BadPayeesHurtThemselves, "claimed another amount");
        }
    }

    // ------------------------------------------------------------------------------------------------------- helpers

    function _someClaimable(Dice memory dice) private view returns (address account, address asset) {
        uint256 start = dice.below(users.length * ASSETS);
        for (uint256 i = 0; i < users.length * ASSETS; ++i) {
            uint256 position = (start + i) % (users.length * ASSETS);
            (account, asset) = (users[position / ASSETS], assets[position % ASSETS]);
            if (manager.claimableOf(account, asset) != 0) return (account, asset);
        }
    }

    function _expectWithdrawal(Moves memory moves, AssetState memory row) private view {
        Ledger memory ledger = ledgers[moves.user][moves.session][row.asset];
        uint256 i = _index(row.asset);
        unchecked {
            moves.toUser[i] = uint256(row.withdrawnUser) - ledger.withdrawnUser;
            moves.toHub[i] = uint256(row.withdrawnHub) - ledger.withdrawnHub;
        }
    }

    function _recordWithdrawal(
        address user,
        uint64 session,
        AssetState memory row,
        uint256[ASSETS] memory paid
    ) private {
        Ledger storage ledger = ledgers[user][session][row.asset];
        bool rising = row.withdrawnHub >= ledger.withdrawnHub && row.withdrawnUser >= ledger.withdrawnUser;
        _hold(rising, Rule.CountersNeverFall, "a withdrawal counter fell");
        (ledger.withdrawnHub, ledger.withdrawnUser) = (row.withdrawnHub, row.withdrawnUser);
        unchecked {
            withdrawnPaid[user][session][row.asset] += paid[_index(row.asset)];
        }
        uint256 highest = withdrawnMax[user][session][row.asset];
        if (row.withdrawnUser > highest) withdrawnMax[user][session][row.asset] = row.withdrawnUser;
    }

    function _index(address asset) internal view returns (uint256 i) {
        while (assets[i] != asset) ++i;
    }
}
