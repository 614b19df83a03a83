// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Channel} from "../../../contracts/interfaces/IChannelManager.sol";
import {BystanderHandler} from "./BystanderHandler.sol";
import {Rule} from "./Rule.sol";

/// @title Watchtower
/// @notice Posts what Alice holds: her newest state against an older one, her best evidence in every dispute.
abstract contract Watchtower is BystanderHandler {
    /// @dev Runs before time passes. Whatever it posts is valid and in time, so it must be accepted.
    function _guard() internal {
        Channel memory channel = manager.channelOf(alice);
        Draft memory newest = _newest();
        bool stale = channel.exitDeadline > block.timestamp && channel.exitNonce < newest.state.nonce;
        if (stale && _post(alice, manager.challenge.selector, newest)) {
            standing[alice] = abi.encode(newest);
            _reach("Alice's newest state replaced an older one");
        }
        for (uint256 i = 0; i < streams.length; ++i) {
            if (_mustShow(streams[i]) && seen[streams[i].index].openedAt != 0) _show(streams[i]);
        }
    }

    function _post(address caller, bytes4 selector, Draft memory draft) internal returns (bool success) {
        bytes32 digest = manager.hashState(draft.state);
        bytes memory sigHub = draft.state.nonce == 0 ? bytes("") : _sign(hub, digest);
        bytes memory sigUser = draft.state.nonce == 0 ? bytes("") : _sign(draft.state.user, digest);
        (success, ) = _try(caller, 0, bytes.concat(selector, abi.encode(draft.state, sigHub, sigUser)));
        _hold(success, Rule.NewestStateWins, "the newest state was refused in time");
    }

    /// @dev Whether Alice can prove more than the record says, and it can still be changed.
    function _mustShow(Stream memory stream) internal view returns (bool) {
        Seen memory last = seen[stream.index];
        if (stream.closed || stream.best <= _standingBalance(stream.index)) return false;
        return !_isFinal(last.thread, last.record);
    }

    function _show(Stream memory stream) internal {
        Seen memory last = seen[stream.index];
        bytes memory data;
        if (last.thread.app == address(0)) {
            bytes memory sig = _signPayment(last.thread.sender, last.hash, stream.best);
            data = abi.encodeCall(manager.challengeThreadWithPayment, (_signThread(stream.index), stream.best, sig));
        } else {
            bytes memory secretHash = abi.encode(sha256(abi.encode(last.thread.salt)));
            bytes memory secret = abi.encode(last.thread.salt);
            data = abi.encodeCall(manager.resolveThread, (_signThread(stream.index), secretHash, secret));
        }
        (bool success, ) = _try(alice, 0, data);
        _hold(success, Rule.ReceiversBalanceNeverFalls, "Alice's evidence was refused in time");
        _reach("Alice's evidence raised her balance");
    }
}
