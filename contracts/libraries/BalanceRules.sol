// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AssetState, ChannelState, IChannelManager, Ledger} from "../interfaces/IChannelManager.sol";

/// @title BalanceRules
/// @notice What makes a state's numbers acceptable, and what they pay. Pure arithmetic; signatures are elsewhere.
library BalanceRules {
    /// Bounds the gas of a settlement, so that no state can grow until it no longer fits a block.
    uint256 internal constant MAX_ASSETS = 8;

    /// @notice Order, conservation, thread root and the unsigned zero of a state, and for each of its rows that the
    /// deposits it names are on chain and that no executed withdrawal is forgotten.
    function requireValid(ChannelState memory state, mapping(address asset => Ledger) storage ledgers) internal view {
        AssetState[] memory rows = state.assets;
        if (rows.length > MAX_ASSETS) revert IChannelManager.TooManyAssets(rows.length, MAX_ASSETS);
        address previous;
        uint256 deposited; // the OR over all rows: zero iff every one is zero
        uint256 locked;
        for (uint256 i = 0; i < rows.length; ++i) {
            AssetState memory row = rows[i];
            if (i != 0 && row.asset <= previous) revert IChannelManager.AssetsNotAscending(previous, row.asset);
            previous = row.asset;
            deposited |= _requireConserved(row);
            locked |= row.locked;
            _requireOnChain(row, ledgers[row.asset]);
        }
        if ((state.threadRoot == 0) != (locked == 0)) revert IChannelManager.ThreadRootMismatch(state.threadRoot);
        // Amounts are unsigned and conserved, so without deposits all of them are zero.
        if (state.nonce == 0 && (deposited != 0 || state.recipient != address(0))) {
            revert IChannelManager.UnsignedStateNotZero();
        }
    }

    /// @notice What settling a row pays: the balance, deposits the state had not accounted for, withdrawals it had
    /// authorised but nobody executed. With `locked` the two add up to deposits minus withdrawals of the ledger.
    function settlement(
        AssetState memory row,
        Ledger storage ledger
    ) internal view returns (uint256 amountUser, uint256 amountHub) {
        amountUser = uint256(row.balanceUser) + (ledger.depositedUser - row.depositedUser);
        amountUser += row.withdrawnUser - ledger.withdrawnUser;
        amountHub = uint256(row.balanceHub) + (ledger.depositedHub - row.depositedHub);
        amountHub += row.withdrawnHub - ledger.withdrawnHub;
    }

    /// @notice What an asset pays that the settled state did not name: to the user at most its own deposits minus its
    /// own withdrawals, the rest to the hub. Never reverts for arithmetic.
    function reclaimable(Ledger storage ledger) internal view returns (uint256 amountUser, uint256 amountHub) {
        uint256 rest = remaining(ledger);
        uint256 own = ledger.depositedUser > ledger.withdrawnUser ? ledger.depositedUser - ledger.withdrawnUser : 0;
        amountUser = own < rest ? own : rest;
        amountHub = rest - amountUser;
    }

    /// @notice Deposits minus withdrawals; zero if that were negative, which no accepted state allows.
    function remaining(Ledger storage ledger) internal view returns (uint256) {
        uint256 deposited = uint256(ledger.depositedHub) + ledger.depositedUser;
        uint256 withdrawn = uint256(ledger.withdrawnHub) + ledger.withdrawnUser;
        return deposited > withdrawn ? deposited - withdrawn : 0;
    }

    function _requireConserved(AssetState memory row) private pure returns (uint256 deposited) {
        deposited = uint256(row.depositedHub) + row.depositedUser;
        uint256 accounted = uint256(row.balanceHub) + row.balanceUser + row.locked;
        accounted += uint256(row.withdrawnHub) + row.withdrawnUser;
        if (accounted != deposited) revert IChannelManager.NotConserved(row.asset);
    }

    function _requireOnChain(AssetState memory row, Ledger storage ledger) private view {
        (uint128 depositedHub, uint128 depositedUser) = (ledger.depositedHub, ledger.depositedUser);
        if (row.depositedHub > depositedHub || row.depositedUser > depositedUser) {
            revert IChannelManager.NotBacked(row.asset, depositedHub, depositedUser);
        }
        (uint128 withdrawnHub, uint128 withdrawnUser) = (ledger.withdrawnHub, ledger.withdrawnUser);
        if (row.withdrawnHub < withdrawnHub || row.withdrawnUser < withdrawnUser) {
            revert IChannelManager.NotFresh(row.asset, withdrawnHub, withdrawnUser);
        }
    }
}
