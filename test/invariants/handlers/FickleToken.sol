// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title FickleToken
/// @notice Every misbehaviour of a token behind one switch that the fuzzer turns. Balances are whatever it says.
contract FickleToken {
    enum Mode {
        Honest,
        ReturnsNothing,
        ReturnsFalse,
        MovesAndReturnsFalse,
        ReturnsGarbage,
        ReturnsMuch,
        Reverts,
        BurnsGas,
        TakesFee,
        CallsBack,
        Overflows
    }

    uint256 public constant MODES = 11;

    Mode public mode;
    /// How often a call back into the manager was let through. None may be.
    uint256 public reentries;

    address private _victim;
    bytes private _callback;
    mapping(address account => uint256 amount) private _balances;

    function behave(uint256 mode_, address victim, bytes calldata callback) external {
        (mode, _victim, _callback) = (Mode(mode_), victim, callback);
    }

    /// @dev No allowances: the depositor is whoever the manager names.
    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        return _answer(from, to, amount);
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        return _answer(msg.sender, to, amount);
    }

    /// @dev EIP-3009 without the signature: the token decides what it believes.
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256,
        uint256,
        bytes32,
        uint8,
        bytes32,
        bytes32
    ) external {
        _answer(from, to, value);
    }

    function permit(address, address, uint256, uint256, uint8, bytes32, bytes32) external view {
        if (mode == Mode.Reverts) revert("permit refused");
    }

    function balanceOf(address account) external view returns (uint256) {
        return mode == Mode.Overflows ? type(uint256).max : _balances[account];
    }

    function _answer(address from, address to, uint256 amount) private returns (bool) {
        if (mode == Mode.Reverts) revert("frozen");
        if (mode == Mode.BurnsGas) _burn();
        if (mode == Mode.CallsBack) _callBack();
        if (mode == Mode.ReturnsFalse) return false;
        _move(from, to, mode == Mode.TakesFee ? amount - amount / 10 : amount);
        if (mode == Mode.ReturnsNothing) _return(0);
        if (mode == Mode.ReturnsMuch) _return(1 << 18);
        if (mode == Mode.ReturnsGarbage) _returnTwo();
        return mode != Mode.MovesAndReturnsFalse;
    }

    function _move(address from, address to, uint256 amount) private {
        unchecked {
            _balances[from] -= amount; // money out of nothing is this token's own affair
            _balances[to] += amount;
        }
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

    function _return(uint256 size) private pure {
        assembly ("memory-safe") {
            return(0x00, size)
        }
    }

    function _returnTwo() private pure {
        assembly ("memory-safe") {
            mstore(0x00, 2)
            return(0x00, 0x20)
        }
    }
}
