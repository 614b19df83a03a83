// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title FickleReceiver
/// @notice Every misbehaviour of a payee behind one switch. It is also put at the addresses of users who have keys:
/// since EIP-7702 they may carry code.
contract FickleReceiver {
    enum Mode {
        Accepts,
        Reverts,
        BurnsGas,
        RevertsWithMuch,
        RejectsLittleGas,
        CallsBack
    }

    uint256 public constant MODES = 6;

    Mode public mode;
    /// How often a call back into the manager was let through. None may be.
    uint256 public reentries;

    address private _victim;
    bytes private _callback;

    function behave(uint256 mode_, address victim, bytes calldata callback) external {
        (mode, _victim, _callback) = (Mode(mode_), victim, callback);
    }

    receive() external payable {
        if (mode == Mode.Reverts) revert("no, thanks");
        if (mode == Mode.RevertsWithMuch) _revertWithMuch();
        // less than what every payout has: only a relayer who starves the call can make this reject
        if (mode == Mode.RejectsLittleGas && gasleft() < 45_000) revert("too little gas");
        if (mode == Mode.BurnsGas) _burn();
        if (mode == Mode.CallsBack) _callBack();
    }

    function _callBack() private {
        (bool success, ) = _victim.call(_callback);
        if (success) ++reentries;
    }

    /// @dev All the gas at once: a loop would do the same and only cost the fuzzer time.
    function _burn() private pure {
        assembly ("memory-safe") {
            invalid()
        }
    }

    function _revertWithMuch() private pure {
        assembly ("memory-safe") {
            revert(0x00, 0x10000)
        }
    }
}
