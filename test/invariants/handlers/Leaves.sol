// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Leaves
/// @notice The thread tree as signers build it: leaves sorted, pairs hashed sorted, an odd last one rises unchanged.
library Leaves {
    function root(bytes32[] memory leaves) internal pure returns (bytes32) {
        if (leaves.length == 0) return 0;
        bytes32[] memory layer = _sorted(leaves);
        while (layer.length > 1) layer = _parents(layer);
        return layer[0];
    }

    /// @dev The siblings from `leaf` up to the root; empty if there is only that leaf.
    function proof(bytes32[] memory leaves, bytes32 leaf) internal pure returns (bytes32[] memory siblings) {
        bytes32[] memory found = new bytes32[](8); // enough for the 64 leaves of a full tree
        uint256 count;
        bytes32 node = leaf;
        for (bytes32[] memory layer = _sorted(leaves); layer.length > 1; layer = _parents(layer)) {
            uint256 sibling = _indexOf(layer, node) ^ 1;
            if (sibling >= layer.length) continue;
            found[count++] = layer[sibling];
            node = _parent(node, layer[sibling]);
        }
        siblings = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) siblings[i] = found[i];
    }

    function _parents(bytes32[] memory layer) private pure returns (bytes32[] memory parents) {
        parents = new bytes32[]((layer.length + 1) / 2);
        for (uint256 i = 0; i < parents.length; ++i) {
            bool paired = 2 * i + 1 < layer.length;
            parents[i] = paired ? _parent(layer[2 * i], layer[2 * i + 1]) : layer[2 * i];
        }
    }

    function _parent(bytes32 a, bytes32 b) private pure returns (bytes32) {
        return a < b ? keccak256(abi.encode(a, b)) : keccak256(abi.encode(b, a));
    }

    function _indexOf(bytes32[] memory layer, bytes32 node) private pure returns (uint256 index) {
        while (index + 1 < layer.length && layer[index] != node) ++index;
    }

    function _sorted(bytes32[] memory leaves) private pure returns (bytes32[] memory sorted) {
        sorted = new bytes32[](leaves.length);
        for (uint256 i = 0; i < leaves.length; ++i) {
            uint256 slot = i;
            for (; slot != 0 && sorted[slot - 1] > leaves[i]; --slot) sorted[slot] = sorted[slot - 1];
            sorted[slot] = leaves[i];
        }
    }
}
