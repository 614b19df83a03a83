// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title LyingToken
/// @notice FOR TESTS: whenever it is asked to move money, it says yes, and the balance of the payee becomes whatever
/// the tester chose.
contract LyingToken {
    mapping(address holder => uint256 amount) public balanceOf;
    uint256 private _lie;

    /// @notice Chooses what the next payee's balance becomes.
    function setLie(uint256 lie) external {
        _lie = lie;
    }

    /// @notice Pretends to transfer.
    function transfer(address to, uint256) external returns (bool) {
        balanceOf[to] = _lie;
        return true;
    }

    /// @notice Pretends to transfer.
    function transferFrom(address, address to, uint256) external returns (bool) {
        balanceOf[to] = _lie;
        return true;
    }

    /// @notice Pretends to transfer by an EIP-3009 authorisation.
    function receiveWithAuthorization(
        address,
        address to,
        uint256,
        uint256,
        uint256,
        bytes32,
        uint8,
        bytes32,
        bytes32
    ) external {
        balanceOf[to] = _lie;
    }
}
