// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AssetState, Ledger, Thread} from "../../../contracts/interfaces/IChannelManager.sol";
import {Dice} from "./Dice.sol";
import {Leaves} from "./Leaves.sol";
import {LegHandler} from "./LegHandler.sol";

/// @title BystanderHandler
/// @notice Alice, who is honest, among colluders. She signs one state a nonce, drops no row, keeps her newest state
/// and the best evidence of what she was paid, and has a watchtower (`_guard`) that posts them in time.
abstract contract BystanderHandler is LegHandler {
    /// A thread in which a colluder pays Alice: a payment stream, or a hashlock.
    struct Stream {
        uint256 index;
        uint64 session;
        /// The most that Alice can prove.
        uint128 best;
        bool closed;
    }

    Stream[] internal streams;
    /// Alice's newest state, as `abi.encode(Draft)`; it counts in its session only.
    bytes private _newestDraft;

    /// @dev Alice and the hub move what is between them, take up deposits, and agree on withdrawals.
    function alicePays(uint256 seed) public exiting {
        Dice memory dice = Dice(seed);
        Draft memory draft = _nextDraft(dice);
        draft.state.recipient = dice.pick(recipients);
        for (uint256 i = 0; i < draft.state.assets.length; ++i) {
            AssetState memory row = draft.state.assets[i];
            uint256 total = uint256(row.balanceUser) + row.balanceHub;
            if (total > type(uint128).max) continue;
            row.balanceUser = dice.upTo(total);
            row.balanceHub = uint128(total) - row.balanceUser;
            if (dice.oneIn(3)) _authorise(row, dice);
        }
        _signAsAlice(draft);
    }

    function aliceOpensStream(uint256 seed) public exiting {
        Dice memory dice = Dice(seed);
        Draft memory draft = _nextDraft(dice);
        AssetState memory row = draft.state.assets[dice.below(draft.state.assets.length)];
        Thread memory thread;
        thread.salt = keccak256(abi.encode(seen.length)); // she never signs the same terms twice
        thread.sender = dice.pick(colluders);
        thread.receiver = alice;
        thread.asset = row.asset;
        thread.balanceSender = uint128(1 + dice.below(1_000));
        thread.expiry = dice.oneIn(2) ? 0 : uint64(block.timestamp + dice.below(PERIOD));
        if (dice.oneIn(3)) {
            thread.app = address(hashlock);
            thread.appStateHash = keccak256(abi.encode(sha256(abi.encode(thread.salt))));
        }
        require(row.balanceHub >= thread.balanceSender && draft.threads.length < 6, "no collateral");
        row.balanceHub -= thread.balanceSender;
        row.locked += thread.balanceSender;
        uint256 index = _addThread(thread);
        draft.threads = _with(draft.threads, index);
        streams.push(Stream(index, draft.state.session, 0, false));
        _signAsAlice(draft);
    }

    /// @dev A colluder pays, or shows the secret. She takes nothing over a thread that is in dispute.
    function aliceIsPaid(uint256 seed) external exiting {
        Dice memory dice = Dice(seed);
        Stream storage stream = _someStream(dice);
        uint128 sum = _sum(seen[stream.index].thread);
        bool hasSecret = seen[stream.index].thread.app != address(0);
        stream.best = hasSecret ? sum : stream.best + uint128(dice.below(sum - stream.best + 1));
    }

    function aliceClosesStream(uint256 seed) external exiting {
        Dice memory dice = Dice(seed);
        Draft memory draft = _nextDraft(dice);
        Stream storage stream = _someStream(dice);
        require(stream.session == draft.state.session, "another session's");
        Thread memory thread = seen[stream.index].thread;
        AssetState memory row = draft.state.assets[thread.asset == draft.state.assets[0].asset ? 0 : 1];
        row.locked -= _sum(thread);
        row.balanceUser += stream.best;
        row.balanceHub += _sum(thread) - stream.best;
        draft.threads = _without(draft.threads, stream.index);
        stream.closed = true;
        _signAsAlice(draft);
    }

    // ---------------------------------------------------------------------------------------------------- her papers

    function _newest() internal view returns (Draft memory draft) {
        if (_newestDraft.length != 0) draft = abi.decode(_newestDraft, (Draft));
        uint256 truthful = assets[1] == address(honest) ? 3 : 5;
        if (draft.state.session != _session(alice) || draft.state.nonce == 0) return _zeroDraft(alice, truthful);
    }

    /// @dev What she could sign next. Nobody signs on while an exit runs.
    function _nextDraft(Dice memory dice) private view returns (Draft memory draft) {
        require(deadlines[alice] == 0, "exiting");
        draft = _newest();
        draft.state.nonce += uint64(1 + dice.below(3));
        for (uint256 i = 0; i < draft.state.assets.length; ++i) {
            AssetState memory row = draft.state.assets[i];
            Ledger memory ledger = ledgers[alice][draft.state.session][row.asset];
            uint256 forUser = uint256(row.balanceUser) + ledger.depositedUser - row.depositedUser;
            uint256 forHub = uint256(row.balanceHub) + ledger.depositedHub - row.depositedHub;
            if (forUser + forHub + row.locked > type(uint128).max) continue; // taken up when there is room
            (row.balanceUser, row.balanceHub) = (uint128(forUser), uint128(forHub));
            (row.depositedUser, row.depositedHub) = (ledger.depositedUser, ledger.depositedHub);
        }
    }

    function _authorise(AssetState memory row, Dice memory dice) private pure {
        uint256 room = type(uint128).max - row.withdrawnUser;
        uint128 toUser = dice.upTo(row.balanceUser < room ? row.balanceUser : room);
        room = type(uint128).max - row.withdrawnHub;
        uint128 toHub = dice.oneIn(2) ? 0 : dice.upTo(row.balanceHub < room ? row.balanceHub : room);
        (row.balanceUser, row.withdrawnUser) = (row.balanceUser - toUser, row.withdrawnUser + toUser);
        (row.balanceHub, row.withdrawnHub) = (row.balanceHub - toHub, row.withdrawnHub + toHub);
    }

    function _signAsAlice(Draft memory draft) private {
        draft.state.threadRoot = Leaves.root(_leaves(draft.threads));
        _newestDraft = abi.encode(draft);
        signed[alice].push(_newestDraft);
    }

    /// @dev One that is neither closed nor in dispute.
    function _someStream(Dice memory dice) private view returns (Stream storage stream) {
        uint256 start = dice.below(streams.length); // reverts while there is none
        for (uint256 i = 0; i < streams.length; ++i) {
            stream = streams[(start + i) % streams.length];
            if (!stream.closed && seen[stream.index].record.deadline == 0) return stream;
        }
        revert("no stream to use");
    }

    function _with(uint256[] memory list, uint256 item) private pure returns (uint256[] memory longer) {
        longer = new uint256[](list.length + 1);
        for (uint256 i = 0; i < list.length; ++i) longer[i] = list[i];
        longer[list.length] = item;
    }

    function _without(uint256[] memory list, uint256 item) private pure returns (uint256[] memory shorter) {
        shorter = new uint256[](list.length - 1);
        uint256 count;
        for (uint256 i = 0; i < list.length; ++i) if (list[i] != item) shorter[count++] = list[i];
    }
}
