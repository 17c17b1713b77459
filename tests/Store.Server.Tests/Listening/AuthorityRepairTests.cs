using System.Text;
using Xunit;

namespace Store.Server.Tests;

public class AuthorityRepairTests
{
    [Theory]
    [InlineData("http://127.0.0.1:2379", "http---127.0.0.1:2379")]
    [InlineData("https://127.0.0.1:2379", "https---127.0.0.1:2379")]
    [InlineData("httpx://127.0.0.1:2379", "httpx://127.0.0.1:2379")]
    public void A_plain_url_becomes_a_host_of_the_same_length(string url, string host)
    {
        byte[] block = [0x83, 0x41, (byte)url.Length, .. Encoding.ASCII.GetBytes(url)];
        AuthorityRepair.Repair(block);
        Assert.Equal([0x83, 0x41, (byte)url.Length, .. Encoding.ASCII.GetBytes(host)], block);
    }

    [Fact]
    public void A_host_stays_what_it_is()
    {
        byte[] block = [0x83, 0x41, 14, .. "127.0.0.1:2379"u8];
        var before = block.ToArray();
        AuthorityRepair.Repair(block);
        Assert.Equal(before, block);
    }

    /// <summary>"http://a" and "https://a": 100111 01001 01001 101011 (01000) 1011100 011000 011000 00011, padded with ones.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("01000")]
    public void A_url_in_Huffmans_code_changes_in_the_three_characters_alone(string s)
    {
        var block = Bits("100111" + "01001" + "01001" + "101011" + s + "1011100" + "011000" + "011000" + "00011");
        AuthorityRepair.Repair(block);
        Assert.Equal(Bits("100111" + "01001" + "01001" + "101011" + s + "1110100" + "010110" + "010110" + "00011"), block);
    }

    /// <summary>A header block with the bits as the value of :authority.</summary>
    static byte[] Bits(string bits)
    {
        bits = bits.PadRight((bits.Length + 7) / 8 * 8, '1');
        var value = Enumerable.Range(0, bits.Length / 8).Select(i => Convert.ToByte(bits.Substring(8 * i, 8), 2)).ToArray();
        return [0x83, 0x86, 0x41, (byte)(0x80 | value.Length), .. value, 0x5f, 0x8b];
    }
}
