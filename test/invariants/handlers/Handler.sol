// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {vm} from "../Vm.sol";
import {Dice} from "./Dice.sol";
import {FickleReceiver} from "./FickleReceiver.sol";
import {Checks} from "./Checks.sol";

/// @title Handler
/// @notice Everything that forge may do: call any function of the manager as anybody, turn tokens, payees and apps
/// hostile, and let time pass.
contract Handler is Checks {
    /// @dev A busy day: every channel funded, threads signed, Alice being paid, and nobody to be trusted.
    constructor() {
        vm.warp(1_800_000_000);
        // since EIP-7702 a user with a key may carry code
        vm.etch(colluders[0], address(payee).code);
        vm.etch(colluders[1], address(payee).code);
        FickleReceiver(payable(colluders[0])).behave(1, address(manager), "");
        payee.behave(1, address(manager), "");
        for (uint256 i = 0; i < users.length * ASSETS; ++i) {
            (address user, address asset) = (users[i / ASSETS], assets[i % ASSETS]);
            _deposit(user, asset, 1_000_000, false);
            _deposit(user, asset, 1_000_000, true);
        }
        for (uint256 i = 0; i < 8; ++i) signThread(i);
        for (uint256 i = 0; i < 3; ++i) aliceOpensStream(i);
    }

    /// @notice Leaves states behind that withdrawals have made stale: exits by them are the first thing to try.
    function warmUp() external {
        for (uint256 i = 0; i < 5; ++i) signStates(i);
        for (uint256 i = 0; i < 20; ++i) {
            try this.withdraw(i) {} catch {}
            if (i % 4 == 0) alicePays(i);
        }
    }

    /// @dev Time stops one second before a deadline more often than anywhere else.
    function passTime(uint256 seed) external exiting {
        Dice memory dice = Dice(seed);
        uint256 next = _nextDeadline(dice);
        bool toEdge = next != 0 && dice.oneIn(2);
        _wait(toEdge ? next - 1 : block.timestamp + 1 + dice.below(PERIOD / 4));
    }

    function passTimeToDeadline(uint256 seed) external exiting {
        uint256 next = _nextDeadline(Dice(seed));
        require(next != 0, "nothing to wait for");
        _wait(next);
    }

    function turnHostile(uint256 seed) external exiting {
        Dice memory dice = Dice(seed);
        uint256 kind = dice.below(3);
        bytes memory callback = _callback(dice);
        if (kind == 0) hostile.behave(dice.below(hostile.MODES()), address(manager), callback);
        if (kind == 1) payee.behave(dice.below(payee.MODES()), address(manager), callback);
        if (kind == 2) {
            FickleReceiver user = FickleReceiver(payable(colluders[dice.below(2)]));
            user.behave(dice.below(user.MODES()), address(manager), callback);
        }
    }

    /// @notice Whether a callback from a payment ever got into a function that moves money.
    function reentries() external view returns (uint256 count) {
        count = hostile.reentries() + payee.reentries();
        for (uint256 i = 0; i < 2; ++i) count += FickleReceiver(payable(colluders[i])).reentries();
    }

    // ------------------------------------------------------------------------------------------------------- helpers

    function _wait(uint256 until) private {
        _guard();
        vm.warp(until);
        _observeThreads(true);
    }

    /// @dev A future deadline of an exit or a thread, or zero.
    function _nextDeadline(Dice memory dice) private view returns (uint256 deadline) {
        uint256 count = users.length + seen.length;
        uint256 start = dice.below(count);
        for (uint256 i = 0; i < count && deadline <= block.timestamp; ++i) {
            uint256 position = (start + i) % count;
            deadline =
                position < users.length ? deadlines[users[position]] : seen[position - users.length].record.deadline;
        }
        if (deadline <= block.timestamp) return 0;
    }

    /// @dev Short ones, which fit the gas of a payment to an address.
    function _callback(Dice memory dice) private view returns (bytes memory) {
        address asset = dice.pick(assets);
        uint256 kind = dice.below(5);
        if (kind == 0) return abi.encodeCall(manager.claim, (asset, address(payee)));
        if (kind == 1) return abi.encodeCall(manager.reclaim, (dice.pick(users), 0, asset));
        if (kind == 2) return abi.encodeCall(manager.deposit, (alice, address(hostile), 1, false));
        if (kind == 3) return abi.encodeCall(manager.fundReserve, (address(hostile), 1));
        return abi.encodeCall(manager.recallReserve, (asset, 1));
    }
}
