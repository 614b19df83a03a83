// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AssetState, Channel, Ledger} from "../../../contracts/interfaces/IChannelManager.sol";
import {Dice} from "./Dice.sol";
import {Rule} from "./Rule.sol";
import {WithdrawalHandler} from "./WithdrawalHandler.sol";

/// @title ExitHandler
/// @notice Exits by anybody with any state: begun, challenged, settled, and what a settlement left over reclaimed.
abstract contract ExitHandler is WithdrawalHandler {
    /// The last state that `startExit` or `challenge` accepted, as `abi.encode(Draft)`, and when it can be settled.
    mapping(address user => bytes draft) internal standing;
    mapping(address user => uint256 timestamp) internal deadlines;

    /// @dev For calls that must move no thread, and no other user's channel.
    modifier exiting() {
        _;
        _observeThreads(false);
        _observeDeadlines();
    }

    /// @dev Signs states and keeps them for later: withdrawals and exits by states of the past are the attack.
    function signStates(uint256 seed) public exiting {
        Dice memory dice = Dice(seed);
        for (uint256 i = 0; i < 3; ++i) {
            address user = busyUsers[2 + dice.below(busyUsers.length - 2)];
            signed[user].push(abi.encode(_newDraft(user, dice)));
        }
    }

    function startExit(uint256 seed) external exiting {
        Dice memory dice = Dice(seed);
        Draft memory draft = _anyDraft(dice.pick(busyUsers), dice);
        (bytes memory arguments, bool forged) = _present(draft, dice);
        address user = draft.state.user;
        address caller =
            dice.oneIn(16)
                ? stranger
                : dice.oneIn(2)
                    ? user
                    : dice.oneIn(2)
                        ? hub
                        : treasury;
        uint64 session = _session(user);
        _act(caller, 0, bytes.concat(manager.startExit.selector, arguments));

        _hold(caller != stranger && !forged, Rule.HonestOthersKeepTheirDue, "exit by a stranger or a forgery");
        _hold(draft.state.session == session, Rule.CountersNeverFall, "an exit by a dead session's state");
        _accepted(user, draft);
        deadlines[user] = block.timestamp + PERIOD;
    }

    function challenge(uint256 seed) external exiting {
        Dice memory dice = Dice(seed);
        Draft memory draft = _anyDraft(_exitingUser(dice, false), dice);
        (bytes memory arguments, bool forged) = _present(draft, dice);
        address user = draft.state.user;
        Channel memory before = manager.channelOf(user);
        _act(stranger, 0, bytes.concat(manager.challenge.selector, arguments));

        _hold(!forged && draft.state.nonce > before.exitNonce, Rule.NewestStateWins, "a bad state replaced another");
        _hold(block.timestamp < deadlines[user], Rule.NewestStateWins, "a challenge after the deadline");
        _accepted(user, draft);
        _reach("an exit was challenged");
    }

    function settle(uint256 seed) external exiting {
        Dice memory dice = Dice(seed);
        address user = _exitingUser(dice, true);
        bool usesStanding = standing[user].length != 0 && !dice.oneIn(8);
        Draft memory draft = usesStanding ? abi.decode(standing[user], (Draft)) : _anyDraft(user, dice);
        (bytes memory arguments, bool forged) = _present(draft, dice);
        user = draft.state.user;
        Channel memory before = manager.channelOf(user);
        Moves memory moves = _moves(user, draft.state.session);
        for (uint256 i = 0; i < draft.state.assets.length; ++i) _expectSettlement(moves, draft.state.assets[i]);
        _pay(bytes.concat(manager.settle.selector, arguments), moves, dice);

        _hold(!forged && draft.state.nonce == before.exitNonce, Rule.NewestStateWins, "settled by another state");
        _hold(block.timestamp >= deadlines[user], Rule.NewestStateWins, "settled before the deadline");
        _hold(_session(user) == before.session + 1, Rule.CountersNeverFall, "the session did not rise by one");
        _recordSettlement(draft);
    }

    function reclaim(uint256 seed) external exiting {
        Dice memory dice = Dice(seed);
        (address user, uint64 session, address asset) = _someLeftover(dice);
        Ledger memory ledger = ledgers[user][session][asset];
        Moves memory moves = _moves(user, session);
        uint256 i = _index(asset);
        uint256 rest = _remaining(ledger);
        uint256 own = ledger.depositedUser > ledger.withdrawnUser ? ledger.depositedUser - ledger.withdrawnUser : 0;
        moves.toUser[i] = own < rest ? own : rest;
        moves.toHub[i] = rest - moves.toUser[i];
        _pay(abi.encodeCall(manager.reclaim, (user, session, asset)), moves, dice);

        _hold(session < _session(user), Rule.SettlementPaysExactly, "reclaimed from a running session");
        delete ledgers[user][session][asset];
        if (ledger.withdrawnHub != 0 || ledger.withdrawnUser != 0) _reach("a dropped row was reclaimed");
    }

    // ------------------------------------------------------------------------------------------------------- helpers

    function _accepted(address user, Draft memory draft) private {
        standing[user] = abi.encode(draft);
        signed[user].push(standing[user]);
    }

    /// @dev Somebody whose channel is exiting (and due, if asked for), or anybody if nobody's is.
    function _exitingUser(Dice memory dice, bool due) internal view returns (address user) {
        uint256 start = dice.below(users.length);
        for (uint256 i = 0; i < users.length; ++i) {
            user = users[(start + i) % users.length];
            if (deadlines[user] != 0 && (!due || block.timestamp >= deadlines[user])) return user;
        }
    }

    function _someLeftover(Dice memory dice) private view returns (address user, uint64 session, address asset) {
        uint256 start = dice.below(users.length * ASSETS);
        for (uint256 i = 0; i < users.length * ASSETS; ++i) {
            uint256 position = (start + i) % (users.length * ASSETS);
            (user, asset) = (users[position / ASSETS], assets[position % ASSETS]);
            for (session = 0; session < _session(user); ++session) {
                if (_remaining(ledgers[user][session][asset]) != 0) return (user, session, asset);
            }
        }
    }

    function _expectSettlement(Moves memory moves, AssetState memory row) private view {
        Ledger memory ledger = ledgers[moves.user][moves.session][row.asset];
        uint256 i = _index(row.asset);
        unchecked {
            moves.toUser[i] = uint256(row.balanceUser) + ledger.depositedUser - row.depositedUser;
            moves.toUser[i] += uint256(row.withdrawnUser) - ledger.withdrawnUser;
            moves.toHub[i] = uint256(row.balanceHub) + ledger.depositedHub - row.depositedHub;
            moves.toHub[i] += uint256(row.withdrawnHub) - ledger.withdrawnHub;
        }
    }

    function _recordSettlement(Draft memory draft) internal {
        (address user, uint64 session) = (draft.state.user, draft.state.session);
        for (uint256 i = 0; i < draft.state.assets.length; ++i) {
            AssetState memory row = draft.state.assets[i];
            delete ledgers[user][session][row.asset];
            uint256 locked = manager.lockedOf(user, session, row.asset);
            _hold(locked == row.locked, Rule.SettlementPaysExactly, "another sum was locked");
            unchecked {
                outflow[user][session][row.asset] += locked;
            }
        }
        bytes32 root = manager.threadRootOf(user, session);
        _hold(root == draft.state.threadRoot, Rule.SettlementPaysExactly, "another root was stored");
        if (draft.threads.length != 0) roots.push(Root(user, session, draft.threads));
        delete standing[user];
        delete deadlines[user];
    }

    function _observeDeadlines() internal {
        for (uint256 i = 0; i < users.length; ++i) {
            uint64 deadline = manager.channelOf(users[i]).exitDeadline;
            _hold(deadline == deadlines[users[i]], Rule.NothingDelaysAnythingElse, "an exit's deadline moved");
        }
    }
}
