// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {Thread} from "../interfaces/IChannelManager.sol";
import {IThreadApp} from "../interfaces/IThreadApp.sol";
import {StateHash} from "../libraries/StateHash.sol";

/// @title SignedApp
/// @notice Pays what a named arbiter signs. With a one-off key as arbiter it is a link to a known receiver that needs
/// no trust in the hub.
/// @dev `appState` is `abi.encode(address arbiter)`, `resolver` is `abi.encode(uint128 balanceReceiver, bytes signature)`
/// over the EIP-712 type below. The statement names the ChannelManager that asks, because equal terms in two of them
/// have equal hashes.
contract SignedApp is IThreadApp, EIP712 {
    /// @notice The EIP-712 type of the arbiter's statement.
    bytes32 public constant RESOLUTION_TYPEHASH = keccak256(
        "Resolution(address channelManager,bytes32 threadHash,uint128 balanceReceiver)"
    );

    error NotSignedByArbiter(address arbiter);

    constructor() EIP712("SignedApp", "1") {}

    /// @inheritdoc IThreadApp
    function resolve(
        Thread calldata thread,
        bytes calldata appState,
        bytes calldata resolver
    ) external view returns (uint128 balanceReceiver) {
        address arbiter = abi.decode(appState, (address));
        bytes memory signature;
        (balanceReceiver, signature) = abi.decode(resolver, (uint128, bytes));
        bytes32 digest = hashResolution(msg.sender, StateHash.hash(thread), balanceReceiver);
        (uint8 v, bytes32 r, bytes32 s) = ECDSA.parse(signature);
        (address signer, , ) = ECDSA.tryRecover(digest, v, r, s);
        if (signer == address(0) || signer != arbiter) revert NotSignedByArbiter(arbiter);
    }

    /// @notice The EIP-712 digest that the arbiter signs.
    function hashResolution(
        address channelManager,
        bytes32 threadHash,
        uint128 balanceReceiver
    ) public view returns (bytes32 digest) {
        return
            _hashTypedDataV4(keccak256(abi.encode(RESOLUTION_TYPEHASH, channelManager, threadHash, balanceReceiver)));
    }
}
