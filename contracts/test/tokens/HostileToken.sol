// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title HostileToken
/// @notice FOR TESTS: an ERC-20 that anybody may mint and that behaves until somebody turns it.
abstract contract HostileToken is ERC20 {
    bool public hostile;

    constructor() ERC20("Hostile Token", "HOST") {}

    /// @notice Makes `amount` for `to`, out of nothing.
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @notice Turns the token hostile, or well-behaved again.
    function turn(bool hostile_) external {
        hostile = hostile_;
    }
}
