// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {HostileToken} from "./HostileToken.sol";

/// @title GasBurningToken
/// @notice FOR TESTS: when hostile, a transfer burns all the gas it is given.
contract GasBurningToken is HostileToken {
    function _update(address from, address to, uint256 amount) internal override {
        if (hostile) {
            assembly ("memory-safe") {
                invalid()
            }
        }
        super._update(from, to, amount);
    }
}
