// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {HostileToken} from "./HostileToken.sol";

/// @title PhantomToken
/// @notice FOR TESTS: accepts every unknown call and does nothing, as WETH9 does with permits and authorisations.
contract PhantomToken is HostileToken {
    fallback() external {}
}
