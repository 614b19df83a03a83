// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";

import {IChannelManager} from "../interfaces/IChannelManager.sol";
import {BoundedCall} from "./BoundedCall.sol";

/// @title Assets
/// @notice Moves ETH and tokens by one path. ETH is `address(0)`.
library Assets {
    using SafeERC20 for IERC20;

    address private constant ETH = address(0);

    // What a payee and a token may use where it must not matter whether they fail: this, no more and no less, see BoundedCall.
    uint256 private constant ETH_GAS = 50_000;
    uint256 private constant TOKEN_GAS = 200_000;

    /// @notice Takes exactly `amount` from the caller, and from nobody else.
    function pull(address asset, uint256 amount) internal {
        if (asset == ETH) {
            if (msg.value != amount) revert IChannelManager.WrongEtherValue(amount, msg.value);
            return;
        }
        if (msg.value != 0) revert IChannelManager.WrongEtherValue(0, msg.value);
        uint256 balanceBefore = tokenBalance(asset);
        IERC20(asset).safeTransferFrom(msg.sender, address(this), amount);
        requireReceived(asset, amount, balanceBefore);
    }

    /// @notice This contract's balance of a token; an address without code is not one.
    function tokenBalance(address asset) internal view returns (uint256) {
        requireCode(asset);
        return IERC20(asset).balanceOf(address(this));
    }

    /// @notice Refuses an address without code, which would swallow calls silently.
    function requireCode(address asset) internal view {
        if (asset.code.length == 0) revert IChannelManager.TokenWithoutCode(asset);
    }

    /// @notice Refuses a token that kept a fee or moved another amount than it was told.
    function requireReceived(address asset, uint256 amount, uint256 balanceBefore) internal view {
        uint256 balanceAfter = IERC20(asset).balanceOf(address(this));
        if (balanceAfter < balanceBefore || balanceAfter - balanceBefore != amount) {
            revert IChannelManager.ReceivedAmountDiffers(asset, amount, balanceBefore, balanceAfter);
        }
    }

    /// @notice Pays with all the gas there is and reverts if that fails: only where the caller alone is hurt.
    function send(address asset, address to, uint256 amount) internal {
        if (asset == ETH) Address.sendValue(payable(to), amount);
        else IERC20(asset).safeTransfer(to, amount);
    }

    /// @notice Pays with a fixed gas allowance and says whether that went through.
    /// @dev A token sent to this contract would leave the books without an owner, so that counts as failed.
    function trySend(address asset, address to, uint256 amount) internal returns (bool) {
        if (to == address(this)) return false;
        return asset == ETH ? _trySendEther(to, amount) : _trySendToken(asset, to, amount);
    }

    function _trySendEther(address to, uint256 amount) private returns (bool success) {
        (success, , ) = BoundedCall.callWithGas(to, ETH_GAS, amount, "");
    }

    /// @dev Paid means: returned, and answered true, or nothing from an address that has code.
    function _trySendToken(address asset, address to, uint256 amount) private returns (bool) {
        bytes memory data = abi.encodeCall(IERC20.transfer, (to, amount));
        (bool success, uint256 size, uint256 answer) = BoundedCall.callWithGas(asset, TOKEN_GAS, 0, data);
        if (!success) return false;
        return size == 0 ? asset.code.length != 0 : size >= 32 && answer == 1;
    }
}
