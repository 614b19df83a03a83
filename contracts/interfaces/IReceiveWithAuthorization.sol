// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title IReceiveWithAuthorization
/// @notice The part of EIP-3009 that this system uses.
interface IReceiveWithAuthorization {
    /// @notice Moves `value` from `from` to `to` by the signature of `from`; `to` must be the caller.
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;
}
