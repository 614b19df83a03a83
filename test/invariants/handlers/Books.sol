// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ledger} from "../../../contracts/interfaces/IChannelManager.sol";
import {vm} from "../Vm.sol";
import {Dice} from "./Dice.sol";
import {Rule} from "./Rule.sol";
import {World} from "./World.sol";

/// @title Books
/// @notice What must be true by the books, kept from what the fuzzer put in and never read back from the manager.
/// Additions are unchecked: a book that overflows must differ from the chain, not undo the call that shows it.
abstract contract Books is World {
    /// What one call moves by the signed numbers, per asset, in the order of `assets`.
    struct Moves {
        address user;
        uint64 session;
        address payee;
        uint256[ASSETS] toUser;
        uint256[ASSETS] toHub;
    }

    struct Holdings {
        uint256[ASSETS] managers;
        uint256[ASSETS] payees;
        uint256[ASSETS] reserves;
        uint256[ASSETS] claimables;
        uint256[ASSETS] claimablesOfAll;
    }

    /// The first time that each rule was broken; empty while it holds.
    mapping(Rule rule => string what) public broken;
    /// How often something happened that the fuzzing must reach.
    mapping(string outcome => uint256 count) public reached;

    mapping(address user => mapping(uint64 session => mapping(address asset => Ledger))) internal ledgers;
    /// All that was deposited into a session, and all that left it: paid, claimable, to the reserve, to its threads.
    mapping(address user => mapping(uint64 session => mapping(address asset => uint256))) internal inflow;
    mapping(address user => mapping(uint64 session => mapping(address asset => uint256))) internal outflow;
    /// What withdrawals really paid, and the highest counter among the states they executed.
    mapping(address user => mapping(uint64 session => mapping(address asset => uint256))) internal withdrawnPaid;
    mapping(address user => mapping(uint64 session => mapping(address asset => uint256))) internal withdrawnMax;
    mapping(address asset => uint256) internal donated;
    mapping(address asset => uint256) internal reserves;
    mapping(address asset => uint256) internal everFunded;

    /// @dev Notes a broken rule and goes on: a revert would undo the evidence.
    function _hold(bool holds, Rule rule, string memory what) internal {
        if (!holds && bytes(broken[rule]).length == 0) broken[rule] = what;
    }

    function _reach(string memory outcome) internal {
        ++reached[outcome];
    }

    // -------------------------------------------------------------------------------------------------------- calls

    function _try(address caller, uint256 value, bytes memory data) internal returns (bool success, bytes memory) {
        if (value != 0) vm.deal(caller, caller.balance + value);
        vm.prank(caller);
        return address(manager).call{value: value}(data);
    }

    /// @dev A refused call ends the handler, so that forge counts it as reverted.
    function _act(address caller, uint256 value, bytes memory data) internal {
        (bool success, bytes memory answer) = _try(caller, value, data);
        if (!success) _revertWith(answer);
    }

    /// @dev Relays by a stranger. One in four has any gas limit, after the same call was seen with all the gas.
    function _relay(bytes memory data, Dice memory dice) internal {
        if (!dice.oneIn(4)) return _act(stranger, 0, data);
        uint256 snapshot = vm.snapshotState();
        (bool ample, ) = _try(stranger, 0, data);
        bytes32 effect = _digest();
        vm.revertToState(snapshot);

        uint256 gas = 40_000 + dice.below(dice.oneIn(2) ? 300_000 : 1_200_000);
        vm.prank(stranger);
        (bool success, bytes memory answer) = address(manager).call{gas: gas}(data);
        if (!success) _revertWith(answer);
        _hold(ample && _digest() == effect, Rule.GasDecidesNothing, "another effect with less gas");
        _reach("relayed with a tight gas limit");
    }

    function _revertWith(bytes memory answer) internal pure {
        assembly ("memory-safe") {
            revert(add(answer, 0x20), mload(answer))
        }
    }

    /// @dev Everything that a payment could change.
    function _digest() internal view virtual returns (bytes32 digest) {
        for (uint256 i = 0; i < users.length; ++i) {
            digest = keccak256(abi.encode(digest, _holdings(users[i], address(payee)), manager.channelOf(users[i])));
        }
    }

    // ----------------------------------------------------------------------------------------------------- payments

    function _holdings(address user, address to) internal view returns (Holdings memory now_) {
        for (uint256 i = 0; i < ASSETS; ++i) {
            now_.managers[i] = _balance(assets[i], address(manager));
            now_.payees[i] = _balance(assets[i], to);
            now_.reserves[i] = manager.reserveOf(assets[i]);
            now_.claimables[i] = manager.claimableOf(user, assets[i]);
            for (uint256 j = 0; j < users.length; ++j) {
                now_.claimablesOfAll[i] += manager.claimableOf(users[j], assets[i]);
            }
        }
    }
}
