// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title ForcedEther
/// @notice FOR TESTS: leaves its ether to somebody who cannot refuse it.
contract ForcedEther {
    constructor(address payable heir) payable {
        selfdestruct(heir);
    }
}
