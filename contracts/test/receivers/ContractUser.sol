// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title ContractUser
/// @notice FOR TESTS: a party without a key, that makes any call it is told to and accepts ether only when willing.
contract ContractUser {
    bool public willing;

    error NotNow();
    error CallFailed(bytes returned);

    receive() external payable {
        if (!willing) revert NotNow();
    }

    /// @notice Chooses whether ether is welcome.
    function setWilling(bool willing_) external {
        willing = willing_;
    }

    /// @notice Makes a call as this contract.
    function execute(address target, bytes calldata data) external payable {
        (bool success, bytes memory returned) = target.call{value: msg.value}(data);
        if (!success) revert CallFailed(returned);
    }
}
