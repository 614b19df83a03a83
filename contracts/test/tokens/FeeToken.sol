// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {HostileToken} from "./HostileToken.sol";

/// @title FeeToken
/// @notice FOR TESTS: when hostile, burns one unit of every transfer.
contract FeeToken is HostileToken {
    function _update(address from, address to, uint256 amount) internal override {
        if (!hostile) return super._update(from, to, amount);
        super._update(from, address(0), 1);
        super._update(from, to, amount - 1);
    }
}
