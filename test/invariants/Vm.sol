// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice The forge cheat codes our invariant tests use; forge-std is not a dependency.
interface Vm {
    function addr(uint256 privateKey) external pure returns (address);
    function deal(address account, uint256 amountWei) external;
    function deployCode(string calldata artifact, bytes calldata constructorArgs) external returns (address);
    function etch(address account, bytes calldata code) external;
    function label(address account, string calldata name) external;
    function prank(address sender) external;
    function revertToState(uint256 id) external returns (bool success);
    function sign(uint256 privateKey, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function snapshotState() external returns (uint256 id);
    function warp(uint256 timestamp) external;
}

/// @dev forge answers cheat codes at this address: the last 20 bytes of keccak256("hevm cheat code").
Vm constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);
