// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {IReceiveWithAuthorization} from "../interfaces/IReceiveWithAuthorization.sol";

/// @title LocalToken
/// @notice FOR LOCAL NETWORKS ONLY: a well-behaved token that anybody may mint. It has no value anywhere.
/// @dev ERC-20 with ERC-2612 permits and the receiving half of EIP-3009, as the tokens that people really use.
contract LocalToken is ERC20Permit, IReceiveWithAuthorization {
    /// @notice The EIP-712 type of an authorisation. EIP-3009.
    bytes32 public constant RECEIVE_WITH_AUTHORIZATION_TYPEHASH = keccak256(
        "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );

    /// @notice True once an authorisation was used. EIP-3009.
    mapping(address authorizer => mapping(bytes32 nonce => bool used)) public authorizationState;

    error CallerMustBePayee(address caller, address payee);
    error AuthorizationNotValid(uint256 validAfter, uint256 validBefore);
    error AuthorizationUsed(address authorizer, bytes32 nonce);
    error AuthorizationNotSigned(address authorizer);

    constructor(string memory name, string memory symbol) ERC20(name, symbol) ERC20Permit(name) {}

    /// @notice Makes `amount` for `to`, out of nothing.
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @inheritdoc IReceiveWithAuthorization
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external {
        if (to != msg.sender) revert CallerMustBePayee(msg.sender, to);
        if (block.timestamp <= validAfter || block.timestamp >= validBefore) {
            revert AuthorizationNotValid(validAfter, validBefore);
        }
        if (authorizationState[from][nonce]) revert AuthorizationUsed(from, nonce);
        bytes32 structHash = keccak256(
            abi.encode(RECEIVE_WITH_AUTHORIZATION_TYPEHASH, from, to, value, validAfter, validBefore, nonce)
        );
        if (ECDSA.recover(_hashTypedDataV4(structHash), v, r, s) != from) revert AuthorizationNotSigned(from);
        authorizationState[from][nonce] = true;
        _transfer(from, to, value);
    }
}
