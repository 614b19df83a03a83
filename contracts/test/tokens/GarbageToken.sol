// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

import {HostileToken} from "./HostileToken.sol";

/// @title GarbageToken
/// @notice FOR TESTS: when hostile, moves nothing and answers with bytes of the tester's choice.
contract GarbageToken is HostileToken {
    bytes private _answer;

    /// @notice Chooses what a hostile transfer answers.
    function setAnswer(bytes calldata answer) external {
        _answer = answer;
    }

    /// @inheritdoc ERC20
    function transfer(address to, uint256 amount) public override returns (bool) {
        if (!hostile) return super.transfer(to, amount);
        _giveAnswer();
    }

    /// @inheritdoc ERC20
    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        if (!hostile) return super.transferFrom(from, to, amount);
        _giveAnswer();
    }

    function _giveAnswer() private view {
        bytes memory answer = _answer;
        assembly ("memory-safe") {
            return(add(answer, 0x20), mload(answer))
        }
    }
}
