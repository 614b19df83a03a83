// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AssetState, ChannelState, SignedThreadUpdate, Thread} from "../interfaces/IChannelManager.sol";
import {StateHash} from "../libraries/StateHash.sol";

/// @dev Makes the internal functions of `StateHash` callable, for the comparison with other implementations.
contract StateHashHarness {
    function hashAsset(AssetState calldata asset) external pure returns (bytes32) {
        return StateHash.hash(asset);
    }

    function hashState(ChannelState calldata state) external pure returns (bytes32) {
        return StateHash.hash(state);
    }

    function hashThread(Thread calldata thread) external pure returns (bytes32) {
        return StateHash.hash(thread);
    }

    function hashPayment(bytes32 threadHash, uint128 balanceReceiver) external pure returns (bytes32) {
        return StateHash.hashPayment(threadHash, balanceReceiver);
    }

    function hashUpdate(bytes32 threadHash, SignedThreadUpdate calldata update) external pure returns (bytes32) {
        return StateHash.hashUpdate(threadHash, update);
    }
}
