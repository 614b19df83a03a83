// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IChannelManager} from "../interfaces/IChannelManager.sol";

/// @title BoundedCall
/// @notice Calls to code that nobody here trusts: a fixed gas allowance, and at most one word of the answer is read.
/// @dev The callee gets exactly `gasCap` (and the EVM's stipend of 2,300 where value is sent), never less: with too little gas left the whole transaction reverts, so a
/// relayer cannot make a callee fail by choosing the gas limit (EIP-150 keeps one 64th back).
/// Assembly is used because Solidity's own low-level call copies all of the returned data, at the caller's expense.
library BoundedCall {
    /// What the CALL itself may cost before the allowance: cold account 2,600, value 9,000, new account 25,000.
    uint256 private constant CALL_OVERHEAD = 40_000;

    /// @notice Calls with a fixed gas allowance. `size` and `word` are the length and the first word of the answer.
    function callWithGas(
        address target,
        uint256 gasCap,
        uint256 value,
        bytes memory data
    ) internal returns (bool success, uint256 size, uint256 word) {
        _requireGas(gasCap);
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            mstore(0x00, 0)
            success := call(gasCap, target, value, add(data, 0x20), mload(data), 0x00, 0x20)
            size := returndatasize()
            word := mload(0x00)
        }
    }

    /// @notice The same without the right to change anything.
    function staticCallWithGas(
        address target,
        uint256 gasCap,
        bytes memory data
    ) internal view returns (bool success, uint256 size, uint256 word) {
        _requireGas(gasCap);
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            mstore(0x00, 0)
            success := staticcall(gasCap, target, add(data, 0x20), mload(data), 0x00, 0x20)
            size := returndatasize()
            word := mload(0x00)
        }
    }

    function _requireGas(uint256 gasCap) private view {
        uint256 needed = (gasCap * 64) / 63 + CALL_OVERHEAD;
        if (gasleft() < needed) revert IChannelManager.InsufficientGas(needed, gasleft());
    }
}
