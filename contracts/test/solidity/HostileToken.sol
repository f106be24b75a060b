// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// A token that misbehaves, towards each recipient as it is told to. Only for tests.
contract HostileToken {
    enum Mode {
        HONEST,
        REVERTS,            // as a blocked address does
        SAYS_FALSE,         // and moves nothing
        SAYS_NOTHING,       // but moves, as the oldest tokens do
        BURNS_GAS,          // all that it is given
        BOMBS,              // moves, and returns a megabyte
        BOMBS_AND_REVERTS,  // reverts with a megabyte
        LIES,               // says true, and moves nothing
        SAYS_TWO,           // moves, and returns the number 2
        SAYS_ONE_BYTE,      // moves, and returns one byte
        KEEPS_A_FEE,        // a hundredth does not arrive
        TAKES_MORE,         // a unit more leaves than was asked
        REENTERS            // calls back what it was told to, then moves
    }

    uint256 private constant MEGABYTE = 1 << 20;

    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;
    mapping(address => Mode) public modes;
    bool public down;
    address public target;
    bytes public attack;
    bool public succeeded;
    bytes public answer;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    /// Anybody takes anybody's: what a second address of the same balances could do.
    function burn_of(address from, uint256 amount) external {
        balanceOf[from] -= amount;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function set_mode(address who, Mode mode) external {
        modes[who] = mode;
    }

    function set_down(bool down_) external {
        down = down_;
    }

    function set_attack(address target_, bytes calldata attack_) external {
        (target, attack) = (target_, attack_);
    }

    function transferFrom(address owner, address to, uint256 amount) external returns (bool) {
        allowance[owner][msg.sender] -= amount;
        return _move(owner, to, amount);
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        return _move(msg.sender, to, amount);
    }

    function decimals() external pure returns (uint8) {
        return 6;
    }

    function _move(address from, address to, uint256 amount) private returns (bool) {
        require(!down, "down");
        Mode mode = modes[to];
        if (mode == Mode.REVERTS) revert("blocked");
        if (mode == Mode.SAYS_FALSE) return false;
        if (mode == Mode.LIES) return true;
        if (mode == Mode.BURNS_GAS) _burn_gas();
        if (mode == Mode.BOMBS_AND_REVERTS) _answer(true, 0, MEGABYTE);
        if (mode == Mode.REENTERS) (succeeded, answer) = target.call(attack);
        balanceOf[from] -= mode == Mode.TAKES_MORE ? amount + 1 : amount;
        balanceOf[to] += mode == Mode.KEEPS_A_FEE ? amount - amount / 100 : amount;
        if (mode == Mode.SAYS_NOTHING) _answer(false, 0, 0);
        if (mode == Mode.BOMBS) _answer(false, 1, MEGABYTE);
        if (mode == Mode.SAYS_TWO) _answer(false, 2, 32);
        if (mode == Mode.SAYS_ONE_BYTE) _answer(false, uint256(1) << 248, 1);
        return true;
    }

    function _burn_gas() private pure {
        assembly { invalid() }
    }

    function _answer(bool refuse, uint256 word, uint256 size) private pure {
        assembly {
            mstore(0, word)
            if refuse { revert(0, size) }
            return(0, size)
        }
    }
}
