// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AssetState, ChannelState, SignedThreadUpdate, Thread} from "../interfaces/IChannelManager.sol";

/// @title StateHash
/// @notice EIP-712 struct hashes of everything that parties sign: one type a kind of statement.
library StateHash {
    // The type strings stand inside keccak256 as literals: only so does the compiler hash them once, not at every call.
    bytes32 internal constant ASSET_STATE_TYPEHASH = keccak256(
        "AssetState(address asset,uint128 balanceHub,uint128 balanceUser,uint128 locked,uint128 depositedHub,uint128 depositedUser,uint128 withdrawnHub,uint128 withdrawnUser)"
    );
    bytes32 internal constant CHANNEL_STATE_TYPEHASH = keccak256(
        "ChannelState(address user,uint64 session,uint64 nonce,AssetState[] assets,bytes32 threadRoot,address recipient)"
        "AssetState(address asset,uint128 balanceHub,uint128 balanceUser,uint128 locked,uint128 depositedHub,uint128 depositedUser,uint128 withdrawnHub,uint128 withdrawnUser)"
    );
    bytes32 internal constant THREAD_TYPEHASH = keccak256(
        "Thread(bytes32 salt,address sender,address receiver,address asset,uint128 balanceSender,uint128 balanceReceiver,bool updatable,uint64 expiry,address app,bytes32 appStateHash)"
    );
    bytes32 internal constant THREAD_PAYMENT_TYPEHASH = keccak256(
        "ThreadPayment(bytes32 threadHash,uint128 balanceReceiver)"
    );
    bytes32 internal constant THREAD_UPDATE_TYPEHASH = keccak256(
        "ThreadUpdate(bytes32 threadHash,uint64 nonce,uint128 balanceReceiver,bytes32 appStateHash)"
    );

    function hash(AssetState memory asset) internal pure returns (bytes32) {
        return keccak256(abi.encode(ASSET_STATE_TYPEHASH, asset));
    }

    function hash(AssetState[] memory assets) internal pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](assets.length);
        for (uint256 i = 0; i < assets.length; ++i) {
            hashes[i] = hash(assets[i]);
        }
        return keccak256(abi.encodePacked(hashes));
    }

    function hash(ChannelState memory state) internal pure returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    CHANNEL_STATE_TYPEHASH,
                    state.user,
                    state.session,
                    state.nonce,
                    hash(state.assets),
                    state.threadRoot,
                    state.recipient
                )
            );
    }

    function hash(Thread calldata thread) internal pure returns (bytes32) {
        return keccak256(abi.encode(THREAD_TYPEHASH, thread));
    }

    function hashPayment(bytes32 threadHash, uint128 balanceReceiver) internal pure returns (bytes32) {
        return keccak256(abi.encode(THREAD_PAYMENT_TYPEHASH, threadHash, balanceReceiver));
    }

    function hashUpdate(bytes32 threadHash, SignedThreadUpdate calldata update) internal pure returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    THREAD_UPDATE_TYPEHASH,
                    threadHash,
                    update.nonce,
                    update.balanceReceiver,
                    update.appStateHash
                )
            );
    }
}
