// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title SilentToken
/// @notice FOR TESTS: moves money and returns nothing, as USDT does.
contract SilentToken {
    mapping(address holder => uint256 amount) public balanceOf;
    mapping(address holder => mapping(address spender => uint256 amount)) public allowance;

    /// @notice Makes `amount` for `to`, out of nothing.
    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    /// @notice As ERC-20, without an answer.
    function approve(address spender, uint256 amount) external {
        allowance[msg.sender][spender] = amount;
    }

    /// @notice As ERC-20, without an answer.
    function transfer(address to, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
    }

    /// @notice As ERC-20, without an answer.
    function transferFrom(address from, address to, uint256 amount) external {
        allowance[from][msg.sender] -= amount;
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}
