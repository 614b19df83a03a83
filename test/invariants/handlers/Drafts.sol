// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AssetState, Channel, ChannelState, Ledger, Thread} from "../../../contracts/interfaces/IChannelManager.sol";
import {Dice} from "./Dice.sol";
import {Leaves} from "./Leaves.sol";
import {Threads} from "./Threads.sol";

/// @title Drafts
/// @notice States that colluding parties could sign: mostly acceptable, of any nonce, over any part of the deposits.
abstract contract Drafts is Threads {
    struct Draft {
        ChannelState state;
        /// The threads whose leaves make the state's root.
        uint256[] threads;
    }

    /// Everything that a user and the hub ever signed, as `abi.encode(Draft)`.
    mapping(address user => bytes[] drafts) internal signed;

    /// @dev How a state comes to the manager. A forged one was altered after it was signed.
    function _present(
        Draft memory draft,
        Dice memory dice
    ) internal view returns (bytes memory arguments, bool forged) {
        ChannelState memory state = draft.state;
        bytes32 digest = manager.hashState(state);
        forged = state.nonce != 0 && dice.oneIn(16);
        if (forged) _alter(state, dice);
        if (state.nonce == 0) return (abi.encode(state, "", ""), false);
        return (abi.encode(state, _sign(hub, digest), _sign(state.user, digest)), forged);
    }

    /// @dev A signed state of the past, or (colluders only) one made for the occasion.
    function _anyDraft(address user, Dice memory dice) internal view returns (Draft memory) {
        bytes[] storage past = signed[user];
        if (user == alice && (past.length == 0 || dice.oneIn(6))) return _zeroDraft(user, 1 + dice.below(7));
        if (user != alice && (past.length == 0 || dice.oneIn(3))) return _newDraft(user, dice);
        // the latest ones are the likeliest to be in force
        uint256 back = dice.oneIn(2) ? dice.below(past.length) : dice.below(past.length < 3 ? past.length : 3);
        return abi.decode(past[past.length - 1 - back], (Draft));
    }

    function _newDraft(address user, Dice memory dice) internal view returns (Draft memory draft) {
        Channel memory channel = manager.channelOf(user);
        draft.state.user = user;
        draft.state.session = channel.session;
        draft.state.nonce =
            dice.oneIn(32)
                ? type(uint64).max
                : uint64(dice.below(6)) + (channel.exitNonce < 1 << 32 ? channel.exitNonce : 0);
        uint256 listed = 1 + dice.below(7);
        if (draft.state.nonce == 0) return _zeroDraft(user, listed);
        draft.state.recipient = dice.pick(recipients);
        _fillRows(draft, listed, dice);
        if (dice.oneIn(16)) _mutate(draft.state, dice);
    }

    /// @dev The state of nonce 0, which nobody signs. `listed` has a bit for each asset.
    function _zeroDraft(address user, uint256 listed) internal view returns (Draft memory draft) {
        (draft.state.user, draft.state.session) = (user, _session(user));
        draft.state.assets = _zeroRows(listed);
    }

    function _zeroRows(uint256 listed) internal view returns (AssetState[] memory rows) {
        uint256 count;
        rows = new AssetState[](ASSETS);
        for (uint256 i = 0; i < ASSETS; ++i) {
            if ((listed >> i) & 1 == 1) rows[count++].asset = assets[i];
        }
        assembly ("memory-safe") {
            mstore(rows, count)
        }
    }

    function _fillRows(Draft memory draft, uint256 listed, Dice memory dice) private view {
        AssetState[] memory rows = draft.state.assets = _zeroRows(listed);
        uint256[] memory locked = new uint256[](seen.length);
        uint256 count;
        for (uint256 i = 0; i < rows.length; ++i) {
            uint256 rest = _fillCounters(rows[i], draft.state, dice);
            for (uint256 j = 0; j < seen.length && count < 5; ++j) {
                if (!_fits(seen[j].thread, draft.state.user, rows[i], rest) || dice.oneIn(2)) continue;
                rows[i].locked += _sum(seen[j].thread);
                locked[count++] = j;
            }
            rows[i].balanceUser = dice.upTo(rest - rows[i].locked);
            rows[i].balanceHub = uint128(rest - rows[i].locked - rows[i].balanceUser);
        }
        assembly ("memory-safe") {
            mstore(locked, count)
        }
        draft.threads = locked;
        draft.state.threadRoot = Leaves.root(_leaves(locked));
    }

    /// @dev Counters between what is on chain and what that allows; returns what is left for balances and threads.
    function _fillCounters(
        AssetState memory row,
        ChannelState memory state,
        Dice memory dice
    ) private view returns (uint256 rest) {
        Ledger memory ledger = ledgers[state.user][state.session][row.asset];
        (row.depositedHub, row.depositedUser) = (ledger.depositedHub, ledger.depositedUser);
        (row.withdrawnHub, row.withdrawnUser) = (ledger.withdrawnHub, ledger.withdrawnUser);
        rest = uint256(row.depositedHub) + row.depositedUser - row.withdrawnHub - row.withdrawnUser;
        uint128 unaccounted = row.depositedUser < rest ? row.depositedUser : uint128(rest);
        if (dice.oneIn(3)) {
            uint128 less = dice.upTo(unaccounted);
            row.depositedUser -= less;
            rest -= less;
        }
        if (dice.oneIn(2)) row.withdrawnUser += _take(rest, type(uint128).max - row.withdrawnUser, dice);
        rest = uint256(row.depositedHub) + row.depositedUser - row.withdrawnHub - row.withdrawnUser;
        if (dice.oneIn(4)) row.withdrawnHub += _take(rest, type(uint128).max - row.withdrawnHub, dice);
        rest = uint256(row.depositedHub) + row.depositedUser - row.withdrawnHub - row.withdrawnUser;
        // two full counters make more than balances can say: the rest must be withdrawn first
        if (rest > type(uint128).max) row.depositedUser -= uint128(rest - type(uint128).max);
        if (rest > type(uint128).max) rest = type(uint128).max;
    }

    function _take(uint256 rest, uint256 room, Dice memory dice) private pure returns (uint128) {
        uint256 max = rest < room ? rest : room;
        return dice.oneIn(4) ? dice.upTo(max) : dice.upTo(max / 2);
    }

    function _fits(
        Thread memory thread,
        address user,
        AssetState memory row,
        uint256 rest
    ) private view returns (bool) {
        if (thread.receiver == alice && user == alice) return false;
        bool party = thread.sender == user || thread.receiver == user;
        return party && thread.asset == row.asset && rest - row.locked >= _sum(thread);
    }

    // ---------------------------------------------------------------------------------------------------- mischief

    /// @dev Before signing: both parties mean it, so only the rules can stop it.
    function _mutate(ChannelState memory state, Dice memory dice) private view {
        AssetState memory row = state.assets[dice.below(state.assets.length)];
        uint256 kind = dice.below(12);
        unchecked {
            if (kind == 0) state.session += 1;
            if (kind == 1) state.session -= 1;
            if (kind == 2) state.threadRoot = bytes32(dice.next());
            if (kind == 3) (row.balanceUser, row.withdrawnUser) = (row.balanceUser + 1, row.withdrawnUser - 1);
            if (kind == 4) (row.balanceHub, row.withdrawnHub) = (row.balanceHub + 1, row.withdrawnHub - 1);
            if (kind == 5) (row.balanceUser, row.depositedUser) = (row.balanceUser + 1, row.depositedUser + 1);
            if (kind == 6) (row.balanceHub, row.depositedHub) = (row.balanceHub + 1, row.depositedHub + 1);
            if (kind == 7) row.balanceUser += 1;
            if (kind == 8) row.locked += 1;
            if (kind == 9) (row.locked, row.balanceHub) = (row.locked + 1, row.balanceHub - 1);
            if (kind == 10) row.withdrawnUser += 1;
            if (kind == 11) state.user = stranger;
        }
    }

    /// @dev After signing, into another state that would do: only the signatures can stop it.
    function _alter(ChannelState memory state, Dice memory dice) private pure {
        AssetState memory row = state.assets[dice.below(state.assets.length)];
        uint256 kind = dice.below(3);
        unchecked {
            if (kind == 0 && row.balanceHub != 0) {
                (row.balanceUser, row.balanceHub) = (row.balanceUser + 1, row.balanceHub - 1);
            } else if (kind == 1 && row.balanceUser != 0) {
                (row.balanceUser, row.balanceHub) = (row.balanceUser - 1, row.balanceHub + 1);
            } else {
                state.nonce = state.nonce == type(uint64).max ? 1 : state.nonce + 1;
            }
        }
    }
}
