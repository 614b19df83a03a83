// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title WalkToken
/// @notice FOR TESTS: one token with many tricks, chosen anew whenever the random walk likes, and with balances that
/// its issuer rewrites at will. It knows no allowances.
contract WalkToken {
    enum Trick {
        None,
        Refuse,
        BurnGas,
        AnswerFalse,
        AnswerTwo,
        AnswerNothing,
        AnswerMuch,
        MoveNothing,
        KeepFee,
        Conjure,
        CallBack,
        CallBackOrRefuse
    }

    uint256 private constant MUCH = 50_000;

    mapping(address holder => uint256 amount) public balanceOf;
    Trick private _trick;
    address private _target;
    bytes private _data;

    error WalkTokenRefuses();

    /// @notice Chooses what the next transfers do; `target` and `data` are for calling back.
    function setTrick(Trick trick, address target, bytes calldata data) external {
        (_trick, _target, _data) = (trick, target, data);
    }

    /// @notice Rewrites a balance.
    function setBalance(address holder, uint256 amount) external {
        balanceOf[holder] = amount;
    }

    /// @notice As ERC-20, or not.
    function transfer(address to, uint256 amount) external {
        _transfer(msg.sender, to, amount);
    }

    /// @notice As ERC-20, or not.
    function transferFrom(address from, address to, uint256 amount) external {
        _transfer(from, to, amount);
    }

    function _transfer(address from, address to, uint256 amount) private {
        Trick trick = _trick;
        if (trick == Trick.Refuse) revert WalkTokenRefuses();
        if (trick == Trick.BurnGas) {
            assembly ("memory-safe") {
                invalid()
            }
        }
        if (trick == Trick.CallBack || trick == Trick.CallBackOrRefuse) _callBack(trick == Trick.CallBackOrRefuse);
        if (trick != Trick.AnswerFalse && trick != Trick.MoveNothing) _move(trick, from, to, amount);
        _answer(trick);
    }

    /// @dev What comes of the call the walk sees in the books; unless it must succeed, and then in the reason.
    function _callBack(bool mustSucceed) private {
        (bool success, bytes memory reason) = _target.call(_data);
        if (success || !mustSucceed) return;
        assembly ("memory-safe") {
            revert(add(reason, 0x20), mload(reason))
        }
    }

    function _move(Trick trick, address from, address to, uint256 amount) private {
        if (trick != Trick.Conjure) {
            if (balanceOf[from] < amount) revert WalkTokenRefuses();
            balanceOf[from] -= amount;
        }
        unchecked {
            balanceOf[to] += trick == Trick.KeepFee && amount != 0 ? amount - 1 : amount; // may wrap: it is a bad token
        }
    }

    function _answer(Trick trick) private pure {
        uint256 word =
            trick == Trick.AnswerFalse
                ? 0
                : trick == Trick.AnswerTwo
                    ? 2
                    : 1;
        uint256 size =
            trick == Trick.AnswerNothing
                ? 0
                : trick == Trick.AnswerMuch
                    ? MUCH
                    : 32;
        assembly {
            let start := mload(0x40)
            mstore(start, word)
            return(start, size)
        }
    }
}
