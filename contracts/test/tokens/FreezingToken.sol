// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {HostileToken} from "./HostileToken.sol";

/// @title FreezingToken
/// @notice FOR TESTS: moves nothing to or from a frozen holder, as regulated stablecoins may.
contract FreezingToken is HostileToken {
    mapping(address holder => bool frozen) public isFrozen;

    error Frozen(address from, address to);

    /// @notice Freezes or thaws a holder.
    function freeze(address holder, bool frozen) external {
        isFrozen[holder] = frozen;
    }

    function _update(address from, address to, uint256 amount) internal override {
        if (isFrozen[from] || isFrozen[to]) revert Frozen(from, to);
        super._update(from, to, amount);
    }
}
