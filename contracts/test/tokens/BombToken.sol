// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

import {HostileToken} from "./HostileToken.sol";

/// @title BombToken
/// @notice FOR TESTS: when hostile, answers with or reverts with so much data that copying it would cost the caller dearly.
contract BombToken is HostileToken {
    uint256 private constant SIZE = 250_000;
    bool public reverting;

    /// @notice Chooses between returning the data and reverting with it.
    function setReverting(bool reverting_) external {
        reverting = reverting_;
    }

    /// @inheritdoc ERC20
    function transfer(address to, uint256 amount) public override returns (bool) {
        if (!hostile) return super.transfer(to, amount);
        bool reverts = reverting;
        assembly ("memory-safe") {
            if reverts {
                revert(mload(0x40), SIZE)
            }
            return(mload(0x40), SIZE)
        }
    }
}
