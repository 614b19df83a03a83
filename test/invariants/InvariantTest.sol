// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice Base of an invariant test. In `setUp` deploy the system and its handlers and name each handler with
/// `_target`: forge calls the handlers' functions at random and every `invariant_*` function after each call.
/// Any revert in an `invariant_*` function is a finding. Where a handler reverts, the call is undone and counted as a
/// revert, not as a finding: what a handler finds it has to note for an `invariant_*` function to see.
abstract contract InvariantTest {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    /// @dev forge takes a contract for a test by this name.
    // solhint-disable-next-line const-name-snakecase
    bool public constant IS_TEST = true;

    address[] private _contracts;
    FuzzSelector[] private _excluded;

    /// @notice The contracts forge calls. It reads this function and the next before the first run.
    function targetContracts() external view returns (address[] memory) {
        return _contracts;
    }

    /// @notice Functions of them that forge leaves alone, besides those that only read.
    function excludeSelectors() external view returns (FuzzSelector[] memory) {
        return _excluded;
    }

    function _target(address handler) internal {
        _contracts.push(handler);
    }

    function _exclude(address handler, bytes4[] memory selectors) internal {
        _excluded.push(FuzzSelector(handler, selectors));
    }
}
