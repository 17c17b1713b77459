using k8s.Models;
using Operator.Core;
using Xunit;

namespace Operator.Tests;

public sealed class AuthTests
{
    static readonly RootSecret Secret = new("root/password@7");

    [Fact]
    public void Without_a_wish_for_it_authentication_is_nobodys_concern() => Assert.Equal(Plan.Steady, new World().Formed(3).Plan().Rule);

    [Fact]
    public void The_first_thing_is_a_note_in_status() => Acts<Step.TakeAuth>(Asking(), new AuthView { Enabled = false, Root = Secret });

    [Fact]
    public void The_operator_has_a_password_before_anybody_is_asked_for_one() =>
        Acts<Step.CreateLogin>(Asking(taken: true), new AuthView { Enabled = false, Root = Secret });

    [Fact]
    public void It_is_turned_on_when_both_passwords_are_at_hand() =>
        Acts<Step.EnableAuth>(Asking(taken: true), new AuthView { Enabled = false, Root = Secret, LoginSecretUid = "1" });

    [Fact]
    public void A_user_that_the_operator_has_lost_is_restored_by_root() =>
        Acts<Step.RestoreLogin>(Asking(taken: true), On() with { LoggedInAs = LoginUser.Root });

    [Fact]
    public void A_password_that_root_is_refused_with_is_set() => Acts<Step.SetRootPassword>(Asking(taken: true), On() with { RootHasPassword = false });

    [Fact]
    public void A_password_that_root_has_is_noted() =>
        Assert.Equal("root/password@7", Acts<Step.LatchRootPassword>(Asking(taken: true), On() with { RootHasPassword = true }).Version);

    [Fact]
    public void A_password_that_was_noted_is_left_alone() => Assert.Equal(Plan.Steady, PlanOf(Asking(taken: true, "root/password@7"), On()).Rule);

    [Fact]
    public void While_nobody_can_be_asked_nothing_is_changed() =>
        Assert.Null(PlanOf(Asking(taken: true), new AuthView { Root = Secret, LoginSecretUid = "1" }).Step);

    [Fact]
    public void It_is_turned_off_by_whoever_turned_it_on() => Acts<Step.DisableAuth>(Indifferent(), On() with { Root = null });

    [Fact]
    public void The_operators_user_goes_before_the_note_does()
    {
        Acts<Step.DeleteLogin>(Indifferent(), new AuthView { Enabled = false, LoginSecretUid = "1" });
        Acts<Step.ReleaseAuth>(Indifferent(), new AuthView { Enabled = false });
    }

    [Fact]
    public void An_own_Secret_that_cannot_be_read_is_not_taken_for_one_that_is_gone()
    {
        foreach (var world in new[] { Asking(taken: true), Indifferent() })
        {
            var plan = PlanOf(world, new AuthView { Enabled = false, Root = Secret, LoginSecretUnread = "500" });
            Assert.Null(plan.Step);
            Assert.Equal("LoginSecretUnreadable", Assert.Single(plan.Blocked).Reason);
        }
    }

    [Fact]
    public void Locked_out_it_says_how_to_let_it_in_again()
    {
        var blocked = Assert.Single(PlanOf(Asking(taken: true), On() with { LoggedInAs = LoginUser.None, Refused = true }).Blocked);
        Assert.Equal("LockedOut", blocked.Reason);
        Assert.Contains("put root's present password under the key password of Secret root", blocked.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("RootSecretMissing", "kubectl create secret generic root --from-literal=password=", null, null)]
    [InlineData("RootSecretKeyMissing", "has no key password", "other", "x")]
    [InlineData("RootPasswordUnusable", "is empty", "password", "")]
    [InlineData("RootPasswordUnusable", "line break", "password", "x\n")]
    public void A_Secret_that_is_of_no_use_is_said_and_the_rest_goes_on(string reason, string words, string? key, string? text)
    {
        var secret = key is null ? null : new V1Secret { Metadata = new V1ObjectMeta { ResourceVersion = "1" }, Data = new Dictionary<string, byte[]> { [key] = System.Text.Encoding.UTF8.GetBytes(text!) } };
        var (verdict, password) = RootSecret.Read(new SecretKeyReference { Name = "root" }, secret);
        Assert.Null(password);
        Unusable(verdict, reason, words);
    }

    [Fact]
    public void A_Secret_that_may_not_be_read_is_said_with_what_to_do() =>
        Unusable(RootSecret.Unreadable(new SecretKeyReference { Name = "root" }, "shop", "403 Forbidden"), "RootSecretUnreadable", "rbac.secretNamespaces");

    [Fact]
    public void A_member_that_refuses_the_operator_is_neither_lost_nor_spared()
    {
        var world = new World().Formed(3).Member(2, member => { member.Answers = false; member.LosesItsNode(9999); });
        var view = world.View() with { Refusals = new Dictionary<MemberName, string> { [new MemberName("orders", 2)] = "invalid auth token" } };
        Assert.Null(Diagnosis.Of(view).Find("orders-2")!.Loss);
        Assert.Null(Planner.Decide(Diagnosis.Of(view)).Step);
    }

    static void Unusable(RootSecret verdict, string reason, string words)
    {
        var world = Asking().Spec(spec => spec with { Replicas = 5 });
        var view = world.View() with { Auth = new AuthView { Enabled = false, Root = verdict } };
        var diagnosis = Diagnosis.Of(view);
        var plan = Planner.Decide(diagnosis);
        Assert.IsType<Step.StartOperation>(plan.Step);
        Assert.Equal(reason, Assert.Single(plan.Blocked).Reason);
        var condition = StatusReport.Build(diagnosis, plan, error: null).Conditions!.Single(condition => condition.Type == ConditionTypes.AuthReady);
        Assert.Equal(("False", reason), (condition.Status, condition.Reason));
        Assert.Contains(words, condition.Message, StringComparison.Ordinal);
        var rested = Diagnosis.Of(Asking().View() with { Auth = view.Auth });
        var ready = StatusReport.Build(rested, Planner.Decide(rested), error: null).Conditions!.Single(condition => condition.Type == ConditionTypes.Ready);
        Assert.Equal(("False", reason), (ready.Status, ready.Reason));
    }

    static AuthView On() => new() { Enabled = true, LoggedInAs = LoginUser.Operator, LoginSecretUid = "1", Root = Secret };

    static World Asking(bool taken = false, string? latched = null) => new World().Formed(3)
        .Spec(spec => spec with { Auth = new AuthSpec { Enabled = true, RootSecret = new SecretKeyReference { Name = "root" } } })
        .Status(status => status with { Auth = taken ? new AuthStatus { RootSecretVersion = latched } : null });

    static World Indifferent() => new World().Formed(3).Status(status => status with { Auth = new AuthStatus() });

    static Plan PlanOf(World world, AuthView auth) => Planner.Decide(Diagnosis.Of(world.View() with { Auth = auth }));

    static TStep Acts<TStep>(World world, AuthView auth) where TStep : Step => Assert.IsType<TStep>(PlanOf(world, auth).Step);
}
