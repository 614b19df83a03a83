// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AssetState, Channel, Ledger, Thread} from "../../../contracts/interfaces/IChannelManager.sol";
import {vm} from "../Vm.sol";
import {Watchtower} from "./Watchtower.sol";

/// @title Probes
/// @notice What would happen if time passed now and everybody left: tried on a snapshot, compared with the books.
abstract contract Probes is Watchtower {
    /// @notice Alice leaves with her newest state and her best evidence. Do she and the hub get exactly their due?
    function probeBystander() external returns (bool aliceGetsHerDue, bool hubGetsItsDue) {
        uint256 snapshot = vm.snapshotState();
        (uint256[ASSETS] memory dueAlice, uint256[ASSETS] memory dueHub) = _due();
        Holdings memory before = _holdings(alice, alice);
        Root[] memory left = _leaveSession();
        _reclaimAll();
        _collectStreams(left);
        Holdings memory then_ = _holdings(alice, alice);
        (aliceGetsHerDue, hubGetsItsDue) = (true, true);
        for (uint256 i = 0; i < ASSETS; ++i) {
            if (!_isTruthful(assets[i])) continue;
            if (then_.payees[i] != before.payees[i] + dueAlice[i]) aliceGetsHerDue = false;
            if (then_.reserves[i] != before.reserves[i] + dueHub[i]) hubGetsItsDue = false;
        }
        vm.revertToState(snapshot);
    }

    /// @notice Every exit settles with the last state that it accepted, at its deadline or now.
    function probeExits() external returns (bool allSettle) {
        uint256 snapshot = vm.snapshotState();
        allSettle = true;
        for (uint256 i = 0; i < users.length; ++i) {
            if (deadlines[users[i]] > block.timestamp) vm.warp(deadlines[users[i]]);
        }
        for (uint256 i = 0; i < users.length; ++i) {
            if (deadlines[users[i]] == 0) continue;
            Draft memory accepted = abi.decode(standing[users[i]], (Draft));
            if (!_post(stranger, manager.settle.selector, accepted)) allSettle = false;
        }
        vm.revertToState(snapshot);
    }

    /// @notice Every leg that a session put enough aside for is paid at its thread's deadline or now.
    function probeLegs() external returns (bool allPaid) {
        uint256 snapshot = vm.snapshotState();
        allPaid = true;
        for (uint256 i = 0; i < seen.length; ++i) {
            if (seen[i].record.deadline > block.timestamp) vm.warp(seen[i].record.deadline);
        }
        for (uint256 i = 0; i < roots.length; ++i) {
            for (uint256 j = 0; j < roots[i].threads.length; ++j) {
                if (!_isPayable(roots[i], roots[i].threads[j])) continue;
                (bool success, ) = _try(stranger, 0, _legCall(roots[i], roots[i].threads[j]));
                legPaid[seen[roots[i].threads[j]].hash][roots[i].user] = true;
                if (!success) allPaid = false;
            }
        }
        vm.revertToState(snapshot);
    }

    // --------------------------------------------------------------------------------------------------------- leaving

    /// @dev Returns the roots that Alice's threads hang on, the one of the session that she just left included.
    function _leaveSession() private returns (Root[] memory left) {
        Draft memory newest = _newest();
        Channel memory channel = manager.channelOf(alice);
        bool exits = channel.exitDeadline != 0 || _startExit(newest);
        channel = manager.channelOf(alice);
        if (exits && channel.exitNonce < newest.state.nonce) _post(alice, manager.challenge.selector, newest);
        for (uint256 i = 0; i < streams.length; ++i) if (_mustShow(streams[i])) _show(streams[i]);
        if (exits) {
            if (channel.exitDeadline > block.timestamp) vm.warp(channel.exitDeadline);
            _post(stranger, manager.settle.selector, newest);
        }
        left = new Root[](roots.length + 1);
        for (uint256 i = 0; i < roots.length; ++i) left[i] = roots[i];
        left[roots.length] = Root(alice, newest.state.session, newest.threads);
    }

    /// @dev A newest state over nothing cannot start an exit; one over whatever has money can, and is then challenged.
    function _startExit(Draft memory newest) private returns (bool) {
        uint256 funded;
        for (uint256 i = 0; i < ASSETS; ++i) {
            uint256 rest = _remaining(ledgers[alice][newest.state.session][assets[i]]);
            if (rest != 0 && _isTruthful(assets[i])) funded |= 1 << i;
        }
        if (funded == 0) return false;
        bool listed;
        for (uint256 i = 0; i < newest.state.assets.length; ++i) {
            if (_remaining(ledgers[alice][newest.state.session][newest.state.assets[i].asset]) != 0) listed = true;
        }
        _post(alice, manager.startExit.selector, listed ? newest : _zeroDraft(alice, funded));
        return true;
    }

    function _reclaimAll() private {
        for (uint64 session = 0; session < _session(alice); ++session) {
            for (uint256 i = 0; i < ASSETS; ++i) {
                if (_remaining(manager.ledgerOf(alice, session, assets[i])) == 0) continue;
                _try(stranger, 0, abi.encodeCall(manager.reclaim, (alice, session, assets[i])));
            }
        }
    }

    function _collectStreams(Root[] memory left) private {
        for (uint256 i = 0; i < streams.length; ++i) {
            uint64 deadline = manager.recordOf(seen[streams[i].index].hash).deadline;
            if (deadline > block.timestamp) vm.warp(deadline);
        }
        for (uint256 i = 0; i < left.length; ++i) {
            for (uint256 j = 0; left[i].user == alice && j < left[i].threads.length; ++j) {
                _openIfNeeded(left[i].threads[j]);
                _try(stranger, 0, _legCall(left[i], left[i].threads[j]));
            }
        }
    }

    /// @dev A thread that nobody ever opened pays its opening balance, one period after somebody does.
    function _openIfNeeded(uint256 index) private {
        if (manager.recordOf(seen[index].hash).deadline != 0) return;
        _try(stranger, 0, abi.encodeCall(manager.challengeThread, (_signThread(index))));
        vm.warp(manager.recordOf(seen[index].hash).deadline);
    }

    // ------------------------------------------------------------------------------------------------------------- due

    /// @dev By the books: what Alice's newest state says, deposits it had not seen, and her best evidence.
    function _due() private view returns (uint256[ASSETS] memory dueAlice, uint256[ASSETS] memory dueHub) {
        Draft memory newest = _newest();
        for (uint64 session = 0; session <= newest.state.session; ++session) {
            for (uint256 i = 0; i < ASSETS; ++i) {
                Ledger memory ledger = ledgers[alice][session][assets[i]];
                // a state of another session, or without this asset, has nothing to say: the rows below are zero
                AssetState memory row;
                for (uint256 j = 0; j < newest.state.assets.length && session == newest.state.session; ++j) {
                    if (newest.state.assets[j].asset == assets[i]) row = newest.state.assets[j];
                }
                dueAlice[i] += uint256(row.balanceUser) + ledger.depositedUser - row.depositedUser;
                dueAlice[i] += row.withdrawnUser - ledger.withdrawnUser;
                dueHub[i] += uint256(row.balanceHub) + ledger.depositedHub - row.depositedHub;
                dueHub[i] += row.withdrawnHub - ledger.withdrawnHub;
            }
        }
        for (uint256 i = 0; i < streams.length; ++i) _addStream(streams[i], dueAlice, dueHub);
    }

    function _addStream(
        Stream memory stream,
        uint256[ASSETS] memory dueAlice,
        uint256[ASSETS] memory dueHub
    ) private view {
        Thread memory thread = seen[stream.index].thread;
        if (stream.closed || legPaid[seen[stream.index].hash][alice]) return;
        uint128 standing_ = _standingBalance(stream.index);
        uint128 balance = stream.best > standing_ ? stream.best : standing_;
        dueAlice[_index(thread.asset)] += balance;
        dueHub[_index(thread.asset)] += _sum(thread) - balance;
    }
}
