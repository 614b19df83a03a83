// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

import {HostileToken} from "./HostileToken.sol";

/// @title RefusingToken
/// @notice FOR TESTS: when hostile, moves nothing and returns false instead of reverting.
contract RefusingToken is HostileToken {
    /// @inheritdoc ERC20
    function transfer(address to, uint256 amount) public override returns (bool) {
        return !hostile && super.transfer(to, amount);
    }

    /// @inheritdoc ERC20
    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        return !hostile && super.transferFrom(from, to, amount);
    }
}
