// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title WalkReceiver
/// @notice FOR TESTS: one payee of ether with many manners, chosen anew whenever the random walk likes. Accounts with a
/// key delegate to it (EIP-7702), so a user, the treasury or a recipient may behave like this.
contract WalkReceiver {
    enum Manner {
        Accept,
        Refuse,
        BurnGas,
        WantMuchGas,
        AnswerMuch,
        CallBack
    }

    uint256 private constant MUCH = 50_000;
    uint256 private constant MUCH_GAS = 60_000;

    Manner private _manner;
    address private _target;
    bytes private _data;

    error WalkReceiverRefuses();

    /// @notice Chooses how the next ether is received; `target` and `data` are for `CallBack`.
    function setManner(Manner manner, address target, bytes calldata data) external {
        (_manner, _target, _data) = (manner, target, data);
    }

    /// @notice An account's ether, so that the walk reads it together with everything else.
    function etherOf(address account) external view returns (uint256) {
        return account.balance;
    }

    receive() external payable {
        Manner manner = _manner;
        if (manner == Manner.Refuse) revert WalkReceiverRefuses();
        if (manner == Manner.WantMuchGas && gasleft() < MUCH_GAS) revert WalkReceiverRefuses();
        if (manner == Manner.BurnGas) {
            assembly ("memory-safe") {
                invalid()
            }
        }
        if (manner == Manner.AnswerMuch) {
            assembly ("memory-safe") {
                return(mload(0x40), MUCH)
            }
        }
        if (manner == Manner.CallBack) _callBack();
    }

    /// @dev What comes of the call is nobody's business: the walk sees it in the books.
    function _callBack() private returns (bool success) {
        (success, ) = _target.call(_data);
    }
}
