// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {HostileToken} from "./HostileToken.sol";

/// @title NoZeroToken
/// @notice FOR TESTS: reverts when it is asked to move nothing.
contract NoZeroToken is HostileToken {
    error NothingToMove();

    function _update(address from, address to, uint256 amount) internal override {
        if (amount == 0) revert NothingToMove();
        super._update(from, to, amount);
    }
}
