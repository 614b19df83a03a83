// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title LocalMulticall3
/// @notice FOR LOCAL NETWORKS ONLY: the part of the Multicall3 interface that batches of withdrawals, challenges and
/// settlements need. Live networks have Multicall3 itself at a well-known address.
contract LocalMulticall3 {
    struct Call3 {
        address target;
        bool allowFailure;
        bytes callData;
    }

    struct Result {
        bool success;
        bytes returnData;
    }

    error CallFailed(uint256 index, bytes returnData);

    /// @notice Makes every call in order; one that fails reverts all unless it says `allowFailure`.
    function aggregate3(Call3[] calldata calls) external payable returns (Result[] memory results) {
        results = new Result[](calls.length);
        for (uint256 i = 0; i < calls.length; ++i) {
            // solhint-disable-next-line avoid-low-level-calls
            (bool success, bytes memory returnData) = calls[i].target.call(calls[i].callData);
            if (!success && !calls[i].allowFailure) revert CallFailed(i, returnData);
            results[i] = Result(success, returnData);
        }
    }
}
