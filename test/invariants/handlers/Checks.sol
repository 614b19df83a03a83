// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ledger} from "../../../contracts/interfaces/IChannelManager.sol";
import {Probes} from "./Probes.sol";

/// @title Checks
/// @notice The chain held against the books, everywhere at once.
abstract contract Checks is Probes {
    /// @notice Line 10 of the specification: what the manager holds, and what that should be.
    function holdings(uint256 i) external view returns (uint256 held, uint256 accounted) {
        address asset = assets[i];
        held = _balance(asset, address(manager));
        accounted = donated[asset] + manager.reserveOf(asset);
        for (uint256 u = 0; u < users.length; ++u) {
            accounted += manager.claimableOf(users[u], asset);
            for (uint64 session = 0; session <= _session(users[u]); ++session) {
                accounted += _remaining(manager.ledgerOf(users[u], session, asset));
                accounted += manager.lockedOf(users[u], session, asset);
            }
        }
    }

    function isTruthful(uint256 i) external view returns (bool) {
        return _isTruthful(assets[i]);
    }

    /// @notice Whether each session's deposits are where they should be: all paid once, or still in its ledger.
    function sessionsPayExactly() external view returns (bool exactly) {
        exactly = true;
        for (uint256 i = 0; i < users.length * ASSETS; ++i) {
            (address user, address asset) = (users[i / ASSETS], assets[i % ASSETS]);
            for (uint64 session = 0; session <= _session(user); ++session) {
                uint256 rest = _remaining(manager.ledgerOf(user, session, asset));
                if (inflow[user][session][asset] != outflow[user][session][asset] + rest) exactly = false;
            }
        }
    }

    /// @notice Whether every counter on chain is what the calls made of it: they only ever add.
    function countersMatch() external view returns (bool match_) {
        match_ = true;
        for (uint256 i = 0; i < users.length * ASSETS; ++i) {
            (address user, address asset) = (users[i / ASSETS], assets[i % ASSETS]);
            for (uint64 session = 0; session <= _session(user); ++session) {
                Ledger memory onChain = manager.ledgerOf(user, session, asset);
                bytes32 expected = keccak256(abi.encode(ledgers[user][session][asset]));
                if (keccak256(abi.encode(onChain)) != expected) match_ = false;
            }
        }
    }

    function withdrawalsPayTheMaximum() external view returns (bool exactly) {
        exactly = true;
        for (uint256 i = 0; i < users.length * ASSETS; ++i) {
            (address user, address asset) = (users[i / ASSETS], assets[i % ASSETS]);
            for (uint64 session = 0; session <= _session(user); ++session) {
                if (withdrawnPaid[user][session][asset] != withdrawnMax[user][session][asset]) exactly = false;
            }
        }
    }

    function reservesMatch() external view returns (bool match_) {
        match_ = true;
        for (uint256 i = 0; i < ASSETS; ++i) {
            if (manager.reserveOf(assets[i]) != reserves[assets[i]]) match_ = false;
        }
    }

    /// @notice Each final thread: one outcome, at most two legs, all of the sum to user and reserve in each.
    function legsAddUp() external view returns (bool oneOutcome, bool hubIsNeutral) {
        (oneOutcome, hubIsNeutral) = (true, true);
        for (uint256 i = 0; i < seen.length; ++i) {
            uint256 sum = _sum(seen[i].thread);
            if (seen[i].legs > 2 || seen[i].toUsers + seen[i].toHub != seen[i].legs * sum) oneOutcome = false;
            if (seen[i].legs == 2 && (seen[i].toUsers != sum || seen[i].toHub != sum)) hubIsNeutral = false;
        }
    }
}
